"""What a list is made with, beside the two models: filters, diversity, reasons, a fallback."""
