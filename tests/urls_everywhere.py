"""Puts URLs into every parameter of every route of a clinic's site, and counts who was called: run by a test.

It is a process of its own, for what listens to every connection of a process cannot be taken out again.
"""

from __future__ import annotations

import re
import socket
import sys
import threading
from pathlib import Path

from clinics import a_jpeg
from cutis.web.accounts import Role
from servers import a_signed_release
from whole_sites import a_whole_site, bearer, of_each_role

CALLS = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request", "os.exec"}


def urls(port: int) -> list[str]:
    """Return 25 ways to write an address that would like to be called."""
    return [
        f"http://127.0.0.1:{port}/",
        f"http://localhost:{port}/",
        f"http://[::1]:{port}/",
        f"http://0x7f000001:{port}/",
        f"http://2130706433:{port}/",
        f"http://127.1:{port}/",
        f"http://0.0.0.0:{port}/",
        f"http://127.0.0.1.nip.io:{port}/",
        f"//127.0.0.1:{port}/",
        f"http:/\\127.0.0.1:{port}/",
        f"http://cutis.example.org@127.0.0.1:{port}/",
        f"https://127.0.0.1:{port}/",
        f"ftp://127.0.0.1:{port}/a",
        f"gopher://127.0.0.1:{port}/_a",
        f"dict://127.0.0.1:{port}/a",
        f"ldap://127.0.0.1:{port}/a",
        f"ws://127.0.0.1:{port}/",
        f"\\\\127.0.0.1@{port}\\share",
        f"jdbc:postgresql://127.0.0.1:{port}/a",
        f"postgresql://127.0.0.1:{port}/a",
        "file:///etc/passwd",
        "http://169.254.169.254/latest/meta-data/",
        "http://metadata.google.internal/",
        "data:text/html,<script>fetch('//127.0.0.1')</script>",
        "javascript:fetch('//127.0.0.1')",
    ]


def main(folder: Path) -> None:
    """Print how many URLs, requests, calls of any kind, and knocks at the canary there were."""
    knocks, calls = [], []
    canary = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_listen, args=(canary, knocks), daemon=True).start()
    sent, picture = 0, {"picture": ("a.jpg", a_jpeg(), "image/jpeg")}
    with a_whole_site(folder / "clinic", a_signed_release(folder / "signed")) as site:
        browsers = [*of_each_role(site).values(), site.browser(**bearer(site, "diagnose", "read", "metrics"))]
        given = urls(canary.getsockname()[1])
        sys.addaudithook(lambda event, _: calls.append(event) if event in CALLS else None)
        for url in given:
            for route in site.site.bare.routes:
                for browser in _who(route, browsers):
                    sent += _ask(browser, route, url, picture=picture)
    sys.stdout.write(f"{len(given)} {sent} {len(calls)} {len(knocks)}\n")
    sys.stderr.write(f"{sorted(set(calls))}\n")


def _who(route, browsers):
    """Return who may use a route; strangers' routes are tried by one of them."""
    from cutis.web.ground import policy_of

    policy = policy_of(route)
    by_role = dict(zip(Role, browsers, strict=False))
    people = [by_role[role] for role in sorted(policy.roles)]
    return people[:1] + ([browsers[-1]] if getattr(policy, "scopes", None) else []) or browsers[:1]


def _ask(browser, route, url, *, picture) -> int:
    from urllib.parse import quote

    path = route.path
    for name in route.param_convertors:
        path = re.sub(rf"\{{{name}(:path)?\}}", quote(url, safe=""), path)
    query = {each.alias: url for each in route.dependant.query_params}
    fields = {each.alias: url for each in route.dependant.body_params} or {"note": url, "device": url, "accession": url}
    headers = {"x-proof": _proof(browser), "referer": url, "x-forwarded-host": url, "forwarded": f"host={url}"}
    for method in sorted(route.methods - {"HEAD"}):
        if route.path in ("/sign-out", "/account") and method != "GET":
            continue  # who signs out, or changes a password, could not go on
        if method == "GET":
            browser.request(method, path, params=query, headers=headers)
        else:
            files = picture if "diagnos" in path else None
            browser.request(method, path, params=query, data=fields, files=files, headers=headers)
    return len(route.methods - {"HEAD"})


def _proof(browser) -> str:
    from sites import proof_in

    if "authorization" in browser.headers:
        return ""
    if not hasattr(browser, "shown_proof"):
        browser.shown_proof = proof_in(browser)
    return browser.shown_proof


def _listen(canary: socket.socket, knocks: list[bool]) -> None:
    while True:
        line, _ = canary.accept()
        knocks.append(True)
        line.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
