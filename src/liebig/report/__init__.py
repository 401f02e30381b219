"""How is it told? A study -> plain data -> one HTML page, text, JSON. No torch here."""

from liebig.report.build import report_data
from liebig.report.comparison import (
    Compared,
    ComparisonData,
    comparison_data,
    comparison_to_html,
    comparison_to_json,
    comparison_to_text,
)
from liebig.report.data import ReportData
from liebig.report.html import study_html_fragment, to_html
from liebig.report.plain import to_json
from liebig.report.text import to_text

__all__ = [
    "Compared",
    "ComparisonData",
    "ReportData",
    "comparison_data",
    "comparison_to_html",
    "comparison_to_json",
    "comparison_to_text",
    "report_data",
    "study_html_fragment",
    "to_html",
    "to_json",
    "to_text",
]
