"""HTML from strangers: harmless to look at, readable as text."""

import time

import pytest

from connectors.html import bounded, sanitise, sanitised_to_text
from connectors.mime import read_message


def text(html: str) -> str:
    return sanitised_to_text(sanitise(html))


@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ("<p>a<script>alert(1)</script>b</p>", "<p>ab</p>"),
        ("<style>p{background:url(http://x)}</style><p>a</p>", "<p>a</p>"),
        ("<title>t</title><p>a</p>", "<p>a</p>"),
        ("<!-- <p>a --><p>b</p><!--[if mso]><p>c</p><![endif]-->", "<p>b</p>"),
        ('<p onclick="x()" class="MsoNormal" id="i">a</p>', "<p>a</p>"),
        ('<form action="http://x"><input name="a"><button>b</button>c</form>', "c"),
        ('<iframe src="http://x">a</iframe><object data="x">b</object><embed src="x">', ""),
        ('<link rel="stylesheet" href="http://x"><base href="http://x"><meta http-equiv="refresh">a', "a"),
        ('<svg><image xlink:href="http://x"/></svg><math><mi>x</mi></math>a', "a"),
        ('<video poster="http://x"><source src="http://x"></video>a', "a"),
        ('<body background="http://x"><table background="http://x"></table>', "<table></table>"),
        ('<a href="javascript:alert(1)">a</a>', '<a rel="noopener noreferrer nofollow">a</a>'),
        ('<a href="JaVa&#10;Script:alert(1)">a</a>', '<a rel="noopener noreferrer nofollow">a</a>'),
        ('<a href="data:text/html,x">a</a>', '<a rel="noopener noreferrer nofollow">a</a>'),
        ('<a href="cid:x">a</a>', '<a rel="noopener noreferrer nofollow">a</a>'),
        ('<a href="/relative">a</a>', '<a rel="noopener noreferrer nofollow">a</a>'),
        (
            '<a href="https://x.fr/?a=1&amp;b=2" target="_blank" ping="http://x">a</a>',
            '<a href="https://x.fr/?a=1&amp;b=2" rel="noopener noreferrer nofollow">a</a>',
        ),
        ('<img src="https://x/o.gif" width="1" height="1">', ""),
        ('<img src="//x/o.gif"><img src="o.gif"><img srcset="http://x 2x">', ""),
        ('<img src="https://x/logo.png" alt="Logo">', '<img alt="Logo">'),
        ('<img src="cid:a@b" alt="x">', '<img src="cid:a@b" alt="x">'),
        ('<img src="data:image/png;base64,iVBO">', '<img src="data:image/png;base64,iVBO">'),
        ('<img src="data:image/svg+xml;base64,iVBO">', ""),
        ('<img src="data:image/png;base64,' + "A" * 40_000 + '">', ""),
        ('<p style="color: red; position: fixed">a</p>', '<p style="color:red">a</p>'),
        ('<p style="background-color: url(http://x)">a</p>', "<p>a</p>"),
        ('<p style="color: ur\\6c (http://x)">a</p>', "<p>a</p>"),
        ("<unknown>a</unknown>", "a"),
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("<p>a", "<p>a</p>"),
    ],
)
def test_html_keeps_what_is_read_and_nothing_that_acts(html: str, clean: str) -> None:
    assert sanitise(html) == clean


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
        ("<div>one</div><div>two</div>three", "one\ntwo\nthree"),
        ("<h1>Title</h1>text", "Title\n\ntext"),
        ("a<br><br><br><br>b", "a\n\nb"),
        ("  many \n\t spaces&nbsp; here ", "many spaces here"),
        ("<b>bold</b> and <i>thin</i>", "bold and thin"),
        ("<ul><li>one<li>two<ul><li>inner</ul></ul>after", "- one\n- two\n  - inner\n\nafter"),
        ("<ol><li>one</li><li>two</li></ol>", "1. one\n2. two"),
        ('<a href="https://x.fr/a">here</a>', "here <https://x.fr/a>"),
        ('<a href="https://x.fr/">https://x.fr</a>', "https://x.fr"),
        ('<a href="mailto:a@b.fr">a@b.fr</a>', "a@b.fr"),
        ('<a href="https://x.fr/?a=1&amp;b=2"><img src="cid:x"></a>', "<https://x.fr/?a=1&b=2>"),
        ('<a name="top">here</a>', "here"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<pre>a\n  b</pre>c", "a\n  b\n\nc"),
        ("a<hr>b", "a\n---\nb"),
        ('<img alt="Logo" src="https://x">', "[Logo]"),
        ("caf&eacute; &lt;b&gt; &amp;amp; &#233; &#xD800;", "café <b> &amp; é \ufffd"),
        ("<style>x</style><script>y</script>z", "z"),
        ("1 < 2 > 0", "1 < 2 > 0"),
        ("", ""),
    ],
)
def test_html_is_rendered_as_a_person_reads_it(html: str, shown: str) -> None:
    assert text(html) == shown


@pytest.mark.parametrize(
    "unit",
    ["<div>", "<b>", "<ul><li>", "<a href=x>", "<table>", "<p>", "<!--", "<", "</p>", "&amp;", "<font><p>x",
     "<img src='", "<a b='", "<blockquote>x", "<![CDATA[", "a b "],
)  # fmt: skip
def test_hostile_html_is_cut_before_it_costs_too_much(unit: str) -> None:
    raw = b"Content-Type: text/html\n\n" + (unit * (600_000 // len(unit))).encode()
    begun = time.perf_counter()
    read_message(raw)
    assert time.perf_counter() - begun < 10


def test_html_nested_too_deep_is_cut_and_kept_whole_as_a_file() -> None:
    page = b"<p>begin</p>" + b"<div>" * 5000 + b"end"
    message = read_message(b"Content-Type: text/html\n\n" + page)
    assert message.body_text == "begin"
    assert b"".join(message.attachments[0].chunks()) == page
    assert "text truncated: the whole of it is an attachment" in message.defects


def test_one_tag_as_long_as_a_book_is_left_out() -> None:
    page = "<p>a</p><p " + " ".join(f"a{n}=x" for n in range(30_000)) + ">b</p>"
    assert bounded(page) == ("<p>a</p>b</p>", False)


def test_a_long_letter_is_not_cut() -> None:
    page = "<table>" + "<tr><td><p><b>x</b></p></td></tr>" * 5000 + "</table>"
    assert bounded(page) == (page, True)


def test_a_large_picture_in_the_html_does_not_push_its_text_out() -> None:
    page = b'<p>before</p><img src="data:image/png;base64,' + b"iVBO" * 500_000 + b'"><p>after</p>'
    message = read_message(b"Content-Type: text/html\n\n" + page)
    assert message.body_text == "before\n\nafter"
    assert message.attachments == ()
