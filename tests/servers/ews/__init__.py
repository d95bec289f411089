"""A stateful server of Exchange Web Services for tests, as Microsoft documents it, within the test's process.

Start it with the fixture `ews` (tests/servers/ews/fixtures.py), or by hand:

    with EwsServer(tmp_path) as server:          # TLS; EwsServer() without a folder speaks plain HTTP
        password = server.add_mailbox("claire@acme.example", "Claire Dupont")
        server.url, server.ca_file               # what a client needs besides

Credentials: a mailbox's address is its login. `server.logins.add(login, account)` gives another login,
`server.logins.grant(account)` a bearer token, `server.add_service_account(login)` an account that may
impersonate, `server.delegate(owner, to, role)` access to another mailbox. `server.logins.schemes` says which
of Basic, NTLM and Bearer are offered; `server.logins.refused` lists the logins that were refused.

Another client: `OtherClient(server, address)` (other_client.py) adds, edits, moves and deletes events,
occurrences, tasks and mails in the store, and lists what is there.

Faults: `server.faults.plan(Fault.RESET_AFTER, "CreateItem")`; faults.py has them all, `skip=` and `times=`.
`server.expire_sync_states()` makes every sync state given so far invalid.

Notifications: `server.subscriptions` has `minute` and `heartbeat` to shorten, `await_streams(n)` to wait
for a stream, `forget_all()` to lose all subscriptions, `close_streams()` to end all streams in good order,
`end_streams()` without a word; `server.drop_connections()` ends all connections.
Autodiscover: `server.autodiscover.redirects[address] = other address or URL`.

What is asserted: `server.counts` (operations by name; invitations, updates, cancellations, responses,
mails sent) and what OtherClient lists. Each request and each answer is validated against Microsoft's
schema (schema.py): at the fixture's end an invalid message fails the test, as does an error in the
server. `server.check.forgive()` is for a test about invalid messages, `server.check.older_clients = True`
for a client that names an older version than 2016 in its header. `SYNCD_EWS_SCHEMA` names the schema's
folder where it is not in `../shared/ews-schema`.
"""
