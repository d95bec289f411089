"""Exchange Web Services, through exchangelib: the only place where that library is imported."""
