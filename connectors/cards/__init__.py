"""Cards of people (vCard 2.1, 3.0 and 4.0) as telephones and mail programs write them."""
