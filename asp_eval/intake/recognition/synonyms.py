"""Words by which exports call our columns and values, in Danish and English."""

from __future__ import annotations

import re
import unicodedata
from itertools import product

_LETTERS = {"æ": ("ae", "a"), "ø": ("oe", "o"), "å": ("aa", "a")}
_COLUMNS = {
    "child_id": "barn barnid barnets_id barnnr barn_nummer barnets_nr barnets_nummer barnekode barnets_kode child child_no "
    "child_nr child_number child_code elev elev_id elevnr pupil pupil_id pupil_no pupil_nr student student_id",
    "institution_id": "institution institutions_id institutionsnr institutionsnummer institution_nr institutionskode inst "
    "inst_id instnr daginstitution daginstitutions_id dagtilbud dagtilbuds_id centre center centre_id center_id kindergarten "
    "kindergarten_id nursery nursery_id preschool preschool_id cluster cluster_id redcap_data_access_group "
    "school school_id skole skole_id skolenr skolekode site site_id class class_id klasse klasse_id",
    "rater_id": "rater rater_nr pædagog pædagog_id pædagognr pædagogkode pædagogens_id bedømmer bedømmer_id teacher teacher_id "
    "teacher_nr staff staff_id informant_id",
    "respondent_id": "respondent respondent_nr respondentnummer medarbejder medarbejder_id medarbejdernr employee_id",
    "staff_id": "staff person person_id medarbejder medarbejder_id medarbejdernr ansat_id employee employee_id",
    "coder_id": "coder koder koder_id",
    "event_id": "event hændelse hændelse_id aktivitet_id",
    "date": "dato udfyldt udfyldt_den udfyldelsesdato svardato besvarelsesdato screeningsdato interviewdato completed "
    "completed_on completion_date date_completed survey_date interview_date",
    "sex": "køn barnets_køn gender child_sex child_gender",
    "birth_month": "født fødselsmåned fødselsdato fødselsdag barnets_fødselsmåned barnets_fødselsdato born birth_date "
    "date_of_birth dob month_of_birth birthmonth birthdate",
    "arm": "gruppe group allocation allocated_arm tildeling lodtrækning",
    "municipality": "kommune kommunenavn municipality_name",
    "name": "navn institutionsnavn institutionens_navn institution_name",
    "role": "rolle stilling",
    "hours": "timer timetal timer_om_ugen timer_pr_uge timer_per_uge ugentlige_timer hours_per_week weekly_hours",
    "start_date": "startdato ansættelsesdato første_dag",
    "end_date": "slutdato fratrædelsesdato sidste_dag",
    "round": "runde",
    "participants": "deltagere antal_deltagere",
    "note": "bemærkning bemærkninger",
    "kind": "type art",
}
_WAVES = "wave bølge måling målepunkt tidspunkt timepoint redcap_event_name"
_VALUES = {
    "boy": "dreng drenge boy boys male mand m han",
    "girl": "pige piger girl girls female kvinde f k hun",
    "manager": "leder daglig_leder institutionsleder manager",
    "deputy_manager": "souschef stedfortræder deputy deputy_manager",
    "pedagogue": "pædagog pedagogue",
    "assistant": "medhjælper pædagogmedhjælper assistant",
}
_INDICATORS = {"girl": "pige girl female er_pige is_girl", "boy": "dreng boy male er_dreng is_boy"}
_YES, _NO = "1 ja yes true", "0 nej no false"


def fold(text: str) -> str:
    """Return a text without capitals, accents, spaces and signs, and its Danish letters written out.

    Examples
    --------
    >>> fold("Fødsels-måned "), fold("Child ID")
    ('foedselsmaaned', 'childid')
    """
    plain = "".join(_LETTERS.get(letter, (letter,))[0] for letter in unicodedata.normalize("NFC", text).casefold())
    return re.sub(r"[\W_]+", "", "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c)))


def _folds(words: str) -> frozenset[str]:
    """Fold words, with every way of writing a Danish letter."""
    spelled = ("".join(way) for word in words.split() for way in product(*(_LETTERS.get(letter, (letter,)) for letter in word)))
    return frozenset(fold(word) for word in spelled)


SYNONYMS = {name: _folds(words) for name, words in _COLUMNS.items()}
WAVES = _folds(_WAVES)
VALUES = {word: value for value, words in _VALUES.items() for word in _folds(words)}
INDICATORS = {word: value for value, words in _INDICATORS.items() for word in _folds(words)}
YES, NO = _folds(_YES), _folds(_NO)
