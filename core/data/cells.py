"""What one cell looks like: empty, a number, a time, a unit. Used on samples; whole columns are converted in SQL."""

from __future__ import annotations

import re

MISSING_WORDS = ("", "NA", "N/A", "#N/A", "NaN", "NULL", "-", "None")
MISSING_SPELLINGS = tuple(
    sorted({s for w in MISSING_WORDS if w for s in (w, w.lower(), w.upper(), w.title(), w.capitalize())} - {""})
)
_MISSING = frozenset(w.lower() for w in MISSING_WORDS)
_POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?")
_GROUPS = re.compile(r"[+-]?\d{1,3}([,.' \u00a0\u202f])\d{3}(\1\d{3})*([,.]\d+)?")
_TIME = re.compile(
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})|\d{1,2}[- ][A-Za-z]{3}[- ]\d{2,4}|\d{8})"
    r"([T ]+\d{1,2}:?\d{2}(:?\d{2}([.,]\d+)?)?( ?[AaPp][Mm])?( ?(Z|UTC|GMT|[A-Z]{2,4}T|[+-]\d{2}(:?\d{2})?))?)?"
)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?")

_UNITS = (
    "% ‰ ppm ppb ° °C °F degC degF deg K rad mm cm m km µm μm um nm in inch ft mil Pa hPa kPa MPa GPa mbar bar psi psia psig atm "
    "g mg kg t lb lbs oz N kN MN mN Nm kNm Ncm V mV kV A mA µA μA uA kA W mW kW MW Wh kWh MWh VA kVA var VAr kVar kVAr kVarh kVArh "
    "Hz kHz MHz GHz rpm rps 1/min min-1 s ms µs μs us min h hr d sec l L ml mL l/min L/min ml/min m3/h m³/h Nm3/h kg/h g/s kg/s m/s "
    "km/h mm/s mm/s² mm/s2 m/s² m/s2 g/cm3 g/cm³ kg/m3 kg/m³ Ω Ohm kΩ MΩ mΩ F µF nF H dB dBA J kJ MJ lx lm cd mol pH tCO2 "
    "pcs pieces cycles mS/cm µS/cm S/m T mT Wb °/s µm/m MPa/s GHz mm² mm2 cm2 cm² m2 m² mm3 cm3 m3 m³ Torr rad/s J/kg ppm/K %rh %RH mils"
)
UNITS = frozenset(_UNITS.split())
_SUFFIX_UNITS = frozenset(
    [
        "kWh",
        "kVarh",
        "kVArh",
        "MWh",
        "kW",
        "kPa",
        "MPa",
        "hPa",
        "mbar",
        "bar",
        "psi",
        "rpm",
        "degC",
        "degF",
        "mm",
        "um",
        "ppm",
        "mA",
        "kV",
        "mV",
        "Nm",
        "kN",
        "Hz",
        "kHz",
    ]
)
_BRACKETS = re.compile(r"^(.*\S)\s*\[\s*([^\[\]]{1,16}?)\s*\]$")
_PARENTHESES = re.compile(r"^(.*\S)\s*\(\s*([^()]{1,16}?)\s*\)$")
_COMPOUND = re.compile(r"[A-Za-zµμ°Ω%]{1,5}\d?([/*·][A-Za-zµμ°Ω]{1,5}[²³\d]?)+")


def is_missing(cell: str) -> bool:
    """True for an empty cell and for the words that stand for one."""
    return cell.strip().lower() in _MISSING


def is_number(cell: str) -> bool:
    """True for a number with a decimal point or comma, or with groups of thousands."""
    text = cell.strip()
    return bool(_POINT.fullmatch(text) or _COMMA.fullmatch(text) or _GROUPS.fullmatch(text))


def is_time(cell: str) -> bool:
    """True for a date, a date with a time, or a time of day, in the common spellings."""
    text = cell.strip()
    if text.isdecimal():
        return len(text) == 8 and text[:2] in ("19", "20") and "01" <= text[4:6] <= "12" and "01" <= text[6:] <= "31"
    return bool(_TIME.fullmatch(text) or _CLOCK.fullmatch(text))


def is_unit(cell: str) -> bool:
    """True for a known unit of measurement or a quotient of them, with or without brackets."""
    text = cell.strip().strip("[]()").strip()
    return text in UNITS or bool(_COMPOUND.fullmatch(text) and any(part in UNITS for part in re.split(r"[/*·]", text)))


def unit_in_name(name: str) -> str:
    """The unit that a column name carries ("Torque [Nm]", "Temp (°C)", "Usage_kWh"), or ""."""
    if match := _BRACKETS.match(name):
        return match.group(2)
    if (match := _PARENTHESES.match(name)) and is_unit(match.group(2)):
        return match.group(2)
    tail = name.rsplit("_", 1)[-1].rsplit(" ", 1)[-1]
    return tail if tail != name and tail in _SUFFIX_UNITS else ""
