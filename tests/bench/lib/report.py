# SPDX-License-Identifier: MIT
"""Tables of markdown, and the document: a template whose words stay, and marked sections that each
run writes anew. A section that was not run keeps the text of the run before."""
import re
import statistics


def number(value, digits=2):
    """Few digits for people: 0.03, 1.2, 45 300; never a rounded-away zero."""
    if value is None or value != value:
        return "–"
    if value == 0:
        return "0"
    if isinstance(value, int) or abs(value) >= 1000:
        return "{:,.0f}".format(value).replace(",", " ")
    if abs(value) >= 100:
        digits = min(digits, 1)
    text = "%.*f" % (digits, value)
    return text if float(text) else "%.1g" % value


def spread(values, digits=2):
    """median (min … max) of the repetitions; one value alone when there was one."""
    values = [v for v in values if v is not None and v == v]
    if not values:
        return "–"
    middle = number(statistics.median(values), digits)
    if len(values) == 1:
        return middle
    return "%s (%s … %s)" % (middle, number(min(values), digits), number(max(values), digits))


def percent(part, whole, digits=3):
    return number(100.0 * part / whole, digits) if whole and part is not None else "–"


class Table:
    def __init__(self, title, *columns):
        self.title, self.columns = title, columns
        self.rows, self.commands, self.notes = [], {}, []

    def add(self, *cells, command=None):
        self.rows.append([str(c) for c in cells])
        if command:
            self.commands.setdefault(command, []).append(str(cells[0]))

    def note(self, text):
        self.notes.append(text)

    def text(self):
        lines = ["**%s**" % self.title, ""]
        lines.append("| " + " | ".join(self.columns) + " |")
        lines.append("|" + "---|" * len(self.columns))
        lines += ["| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in self.rows]
        lines.append("")
        for command, labels in self.commands.items():
            who = "" if len(self.commands) == 1 else ", ".join(dict.fromkeys(labels)) + ": "
            lines.append("- %s`%s`" % (who, command))
        lines += ["- " + note for note in self.notes]
        return "\n".join(lines) + "\n"


def marks(name):
    return "<!-- %s: written by the bench -->\n" % name, "<!-- end of %s -->" % name


def body_of(document, name):
    begin, end = marks(name)
    found = re.search(re.escape(begin) + "(.*?)" + re.escape(end), document, re.S)
    return found.group(1) if found else None


def fill(template, old, new):
    """The template with its sections: those of `new`, else those of the `old` document."""
    def section(match):
        name = match.group(1)
        begin, end = marks(name)
        body = new.get(name) or body_of(old, name) or "Not measured yet: `make bench`.\n\n"
        return begin + body + end
    return re.sub(r"^@(\w+)@$", section, template, flags=re.M)
