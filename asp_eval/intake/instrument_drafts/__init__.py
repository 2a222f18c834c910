"""First files of instruments, from what forms and exports say of their questions."""
