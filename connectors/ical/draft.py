"""A component while it is being changed: some lines are exchanged, dropped or added, all others stay."""

from connectors.ical.lines import Line, Node, make, parameter, split_parameters
from connectors.ical.parts import Fields, gather


class Draft:
    """What shall become of the lines of one component. Nothing happens before `finish`."""

    def __init__(self, node: Node, end: bytes) -> None:
        self.node = node
        self.end = end  # of a line, as the source has it
        self.fields: Fields = gather(node)
        self._swapped: dict[int, Line | None] = {}
        self._added: list[Line | Node] = []
        self._dropped: set[int] = set()  # ids of inner components

    @property
    def changed(self) -> bool:
        """Whether anything shall be other than it was."""
        return bool(self._swapped or self._added or self._dropped)

    def lines(self, name: str) -> list[Line]:
        """The lines of that name as they were."""
        return self.fields.get(name, [])

    def set(self, name: str, value: str | None, params: str | None = None) -> None:
        """Makes it the only line of its name; None: no line. Without `params` those it had stay."""
        lines = self.lines(name)
        if value is None:
            for line in lines:
                self.drop(line)
            return
        if not lines:
            self.add(name, value, params or "")
            return
        self.swap(lines[0], value, params)
        for line in lines[1:]:
            self.drop(line)

    def swap(self, line: Line, value: str, params: str | None = None) -> None:
        """Writes the line anew in its place."""
        params = line.params if params is None else params
        if (value, params) != (line.value, line.params):
            self._swapped[id(line)] = make(line.name, params, value, self.end)

    def drop(self, line: Line) -> None:
        """Takes the line away."""
        self._swapped[id(line)] = None

    def add(self, name: str, value: str, params: str = "") -> None:
        """A new line after all others."""
        self._added.append(make(name, params, value, self.end))

    def add_child(self, node: Node) -> None:
        """A new inner component after all others."""
        self._added.append(node)

    def drop_child(self, node: Node) -> None:
        """Takes an inner component away."""
        self._dropped.add(id(node))

    def current(self, line: Line) -> Line | None:
        """What becomes of a line, as far as is known."""
        return self._swapped.get(id(line), line)

    def finish(self) -> None:
        """Changes the component."""
        kept: list[Line | Node] = []
        for entry in self.node.entries:
            if isinstance(entry, Line):
                line = self._swapped.get(id(entry), entry)
                if line is not None:
                    kept.append(line)
            elif id(entry) not in self._dropped:
                kept.append(entry)
        lines = [entry for entry in self._added if isinstance(entry, Line)]
        children = [entry for entry in self._added if not isinstance(entry, Line)]
        first = next((at for at, entry in enumerate(kept) if not isinstance(entry, Line)), len(kept))
        self.node.entries = [*kept[:first], *lines, *kept[first:], *children]
        self._swapped, self._added, self._dropped = {}, [], set()
        self.fields = gather(self.node)


def with_parameter(params: str, name: str, value: str | None) -> str:
    """The parameters with one set in its place, added at the end, or (None) taken away."""
    made = parameter(name, value) if value is not None else ""
    kept: list[str] = []
    for piece in split_parameters(params):
        if piece.partition("=")[0].strip().upper() != name:
            kept.append(piece)
        elif made:
            kept.append(made)
            made = ""
    return ";".join([*kept, made] if made else kept)


def component(name: str, lines: list[tuple[str, str, str]], end: bytes) -> Node:
    """A new component of (name, parameters, value)."""
    node = Node(name, make("BEGIN", "", name, end))
    node.entries = [make(each, params, value, end) for each, params, value in lines]
    node.end = make("END", "", name, end)
    return node
