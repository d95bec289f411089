"""A file of many contacts, imported as a person does it, and the same file again."""

from benchmarks.bench import Bench
from benchmarks.harness import Figure, WrongResult
from tests.servers.console import program

LIMIT = 60  # seconds
ACCOUNTS = 5_000


def measure(bench: Bench) -> list[Figure]:
    """The program itself, once each: start, checks, one transaction."""
    from time import perf_counter

    folder = bench.new_directory()
    folder.mkdir(exist_ok=True)
    (folder / "syncd.toml").write_text('[workspace]\nname = "Acme"\n[store]\nurl = "sqlite:///crm.db"\n')
    number = bench.scale.imported
    accounts = "".join(f"A{n},Compte {n},client\n" for n in range(ACCOUNTS))
    (folder / "accounts.csv").write_text("ext_id,name,type\n" + accounts)
    rows = "".join(
        f"C{n},A{n % ACCOUNTS},Nom{n},Prénom{n},p{n}@x{n % 999}.example,+33 6 {n:08d},Acheteur,femme,note\n"
        for n in range(number)
    )
    head = "ext_id,account,last_name,first_name,email,phone_mobile,position,gender,comment\n"
    (folder / "contacts.csv").write_text(head + rows, encoding="utf-8")
    figures = []
    for arguments, told, title in (
        (("db", "upgrade"), "", ""),
        (("import", "accounts", "accounts.csv"), "", ""),
        (("import", "contacts", "contacts.csv"), f"{number} created", f"import of {number:,} contacts"),
        (("import", "contacts", "contacts.csv"), f"{number} unchanged", "the same file again"),
        (("export", "contacts", "contacts.xlsx"), f"{number} contacts", f"export of {number:,} to XLSX"),
        (("import", "contacts", "contacts.xlsx"), f"{number} unchanged", "import of that XLSX"),
    ):
        start = perf_counter()
        done = program(*arguments, cwd=folder)
        if done.code or told not in done.out:
            raise WrongResult(f"{' '.join(arguments)}: {done.out}{done.err}")
        if title:
            figures.append(Figure(title, perf_counter() - start, "s", LIMIT))
    return figures
