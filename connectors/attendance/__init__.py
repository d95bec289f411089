"""Who was in a meeting, as the provider's own report tells. Knows no CRM."""
