"""Looking at a stored mail tells its sender nothing and runs nothing, whatever the HTML was."""

from html.parser import HTMLParser

from hypothesis import event, example, given
from hypothesis import strategies as st

from connectors.html import bounded, sanitise, sanitised_to_text
from connectors.mime import read_message

EVIL = "https://evil.example/x"
URLS = st.sampled_from(
    [EVIL, "//evil.example/x", "HTTPS://evil.example/x", " https://evil.example", "\thttps://evil.example",
     "cid:a@b", "h\nttps://evil.example", "data:image/png;base64,iVBORw0KGgo=",
     "data:image/svg+xml,<svg onload=alert(1)>", "javascript:alert(1)", "jav&#x0A;ascript:alert(1)",
     "vbscript:x", "x.gif", "\\\\evil.example\\x", "&#104;ttps://e", "cid:https://evil.example",
     "ftp://evil.example", "file:///etc/passwd", "mailto:a@b.fr", "http:evil.example"]
)  # fmt: skip
ATTRIBUTES = st.sampled_from(
    ["src", "srcset", "href", "background", "poster", "style", "action", "formaction", "data", "xlink:href",
     "cite", "longdesc", "lowsrc", "dynsrc", "usemap", "ping", "manifest", "content", "onerror", "onload",
     "SRC", "srcdoc", "imagesrcset", "codebase", "archive", "profile", "icon", "classid", "target", "id",
     "class", "width", "alt"]
)  # fmt: skip
STYLES = st.sampled_from(
    ["background:url({u})", "background-image: url('{u}')", "list-style:url({u})", "color:url({u})",
     "cursor:url({u})", "content:url({u})", "@import '{u}'", "color:red;behavior:url({u})",
     "color:u\\72l({u})", "font-size:/**/url({u})", "background-color:image-set('{u}' 1x)",
     "--x:url({u});color:var(--x)", "width:expression(alert(1))", "-moz-binding:url({u})",
     "background-color: red"]
)  # fmt: skip
TAGS = st.sampled_from(
    ["img", "a", "p", "div", "table", "td", "body", "link", "base", "meta", "script", "style", "svg",
     "image", "use", "iframe", "frame", "object", "embed", "video", "audio", "source", "track", "input",
     "button", "form", "isindex", "math", "template", "noscript", "title", "textarea", "xmp", "plaintext",
     "marquee", "bgsound", "layer", "font", "annotation-xml", "foreignObject", "mglyph", "select", "option",
     "details", "picture", "center", "pre", "ol"]
)  # fmt: skip


@st.composite
def tags(draw: st.DrawFn) -> str:
    written = "<" + draw(st.one_of(st.sampled_from(["img", "a", "p", "td"]), TAGS))
    for name in draw(st.lists(ATTRIBUTES, max_size=3)):
        url = draw(URLS)
        value = draw(STYLES).format(u=url) if name == "style" else url
        quote = draw(st.sampled_from(['"', '"', "'", ""]))
        written += draw(st.sampled_from([" ", "/", "\n"])) + f"{name}={quote}{value}{quote}"
    return written + draw(st.sampled_from([">", ">", ">", "/>", "> ", ""]))


PIECES = st.one_of(
    tags(),
    tags(),
    TAGS.map(lambda tag: f"</{tag}>"),
    st.sampled_from(
        ["text ", "<!--", "-->", "<![CDATA[", "]]>", "<!--[if mso]>", "<![endif]-->", "&lt;img src=x&gt;",
         "\0", "<", '"', "'", "<style>@import url(https://evil.example);</style>", "<?xml x?>",
         "<!DOCTYPE x>", "</", "&#0;", f"<meta http-equiv=refresh content='0;url={EVIL}'>",
         f"<svg><image xlink:href='{EVIL}'/></svg>", f"<math><mtext><table><mglyph><style><img src={EVIL}>",
         "<noscript><p title='</noscript><img src=x onerror=a>'>"]
    ),
)  # fmt: skip
PAGES = st.lists(PIECES, max_size=12).map("".join)

# attribute -> elements that may have it
HARMLESS = {"alt", "width", "height", "start", "type", "colspan", "rowspan", "align", "valign", "border",
            "color",
            "cellpadding", "cellspacing", "dir", "lang", "rel", "href", "src", "style"}  # fmt: skip
GONE = {"script", "style", "link", "base", "meta", "iframe", "frame", "object", "embed", "svg", "math",
        "form", "input",
        "button", "video", "audio", "source", "picture", "template", "title", "textarea",
        "image"}  # fmt: skip


class Browser(HTMLParser):
    """Notes what a browser would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        assert tag not in GONE
        for name, value in attrs:
            assert name in HARMLESS, name
            given_value = (value or "").lower()
            if name == "src":
                assert tag == "img"
                assert given_value.startswith(("cid:", "data:image/png;base64,"))
            elif name == "href":
                assert tag == "a"
                assert given_value.strip().startswith(("http:", "https:", "mailto:", "tel:"))
                assert dict(attrs)["rel"] == "noopener noreferrer nofollow"
            elif name == "style":
                assert not set(given_value) & set("(\\@")
            elif name not in {"alt", "rel"}:
                assert "evil" not in given_value or name in {"lang", "dir", "type", "start", "align"}

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment is left")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError("a declaration is left")


def browse(clean: str) -> list[str]:
    browser = Browser()
    browser.feed(clean)
    browser.close()
    return browser.seen


@given(PAGES)
@example(f'<img src="{EVIL}">')
@example("<svg><style><img src=x onerror=alert(1)>")
def test_no_reference_to_the_outside_survives(page: str) -> None:
    clean = sanitise(bounded(page)[0])
    seen = browse(clean)
    event(f"elements left: {min(len(seen), 4)}")
    browse(sanitise(clean))
    sanitised_to_text(clean).encode("utf-8")


@given(PAGES)
def test_the_html_of_a_message_is_the_sanitised_one(page: str) -> None:
    message = read_message(b"Content-Type: text/html; charset=utf-8\n\n" + page.encode())
    browse(message.body_html)
    assert "\0" not in message.body_html + message.body_text


@given(st.text(st.characters(exclude_characters="\ufeff", exclude_categories=["Cs"]), max_size=200))
def test_text_shown_as_html_and_read_again_is_the_same_words(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("\0", "")
    assert (
        sanitised_to_text(sanitise(escaped)).split()
        == escaped.replace("&lt;", "<").replace("&amp;", "&").split()
    )
