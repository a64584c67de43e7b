"""Reports for the office: `figures` counts, `workbook` writes it as Excel, `page` as HTML."""
