"""One module a scenario of `make bench`; each offers `measure(bench)`, which returns its figures."""
