"""Measure how a checkout is laid out, and how often it sends a reader to another file.

Run from the project's root: ``python bench/house.py CHECKOUT [CHECKOUT ...]``, for example the one
before and the one after. The standard library is enough; nothing of a checkout is imported or run.
It prints a markdown table, counted as follows.

*Files a folder*: the ``.py`` files directly in it, ``__init__`` and ``__main__`` too.

*Imports a file*: the different modules that its import statements name, wherever in the file they
stand. ``from a.b import c`` names ``a.b.c`` where that is a module of ours, ``a.b`` otherwise.

*Import circles*: groups of modules of ours that reach one another by such imports, those inside
functions included: the strongly connected components of more than one module (Tarjan, 1972).

*Switches*: a reader begins with one function and reads depth first: each function of ours that it
names, called or handed on, is read to its end, in the order in which the names stand, before
reading goes on; nothing is read twice. A switch is counted when the next function stands in
another file, folder or room than the one read just before. A *room* is a folder inside a package of
ours; a file that lies directly in the package is a room of its own, as nothing says what belongs
with it. So a flat package has few switches of folder, and one of room for each of file.

A class that is called is read too, and then its ``__init__`` or ``__post_init__``; of a context
manager, ``__enter__`` and ``__exit__``. Names are resolved through imports. A method is looked up
in the class of its receiver, which is known from an annotation, from the call that made it or from
what a function says it returns; ``list[Item]`` counts as ``Item``, and of a protocol the protocol's
own method is read. What is found by a table, by ``getattr`` or by operators is not followed.
"""

import ast
import operator
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

PACKAGES = ("edge", "train", "export")
"""The program; its imports and its functions are followed."""
FOLDERS = (*PACKAGES, "tests", "bench", "artwork", "docs")
"""What is counted by line and by folder."""
COLUMNS = 100
ENTRIES = {
    "one item": ("Station.pass_item",),
    "one batch of training pictures": ("paint_batch", "paint_twins"),
    "fit": ("fit",),
    "export": ("export_run",),
}
"""Where a reader begins: the first of these functions that there is."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Classes = frozenset[str]
"""Classes of ours as ``module:Class``."""
NONE: Classes = frozenset()


@dataclass
class Module:
    """One file of ours: its names, and what it imports under which name."""

    name: str
    path: Path
    tree: ast.Module
    functions: dict[str, Function] = field(default_factory=dict)
    """By name; a method's is ``Class.method``."""
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    assigned: dict[str, ast.expr] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    """Local name: ``module`` or ``module:name``."""
    imported: set[str] = field(default_factory=set)
    """Every module that is named by an import statement."""


def read_modules(root: Path) -> dict[str, Module]:
    """Read all modules of :data:`PACKAGES` under *root*, by name."""
    modules = dict[str, Module]()
    for path in sorted(path for package in PACKAGES for path in (root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules[name] = Module(name, path.relative_to(root), ast.parse(path.read_text()))
    for module in modules.values():
        _take_names(module, modules)
    return modules


def _take_names(module: Module, modules: dict[str, Module]) -> None:
    """Fill in what *module* defines and imports."""
    for node in module.tree.body:
        if isinstance(node, Function):
            module.functions[node.name] = node
        elif isinstance(node, ast.ClassDef):
            module.classes[node.name] = node
            methods = (part for part in node.body if isinstance(part, Function))
            module.functions |= {f"{node.name}.{method.name}": method for method in methods}
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            module.assigned[node.targets[0].id] = node.value
    for statement in ast.walk(module.tree):
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                first = alias.name.partition(".")[0]
                module.imported.add(alias.name)
                module.imports[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            for alias in statement.names:
                inner = f"{statement.module}.{alias.name}"
                ours = inner in modules
                module.imported.add(inner if ours else statement.module)
                target = inner if ours else f"{statement.module}:{alias.name}"
                module.imports[alias.asname or alias.name] = target


def circles(modules: dict[str, Module]) -> list[list[str]]:
    """Return the groups of modules that reach one another by imports, each sorted."""
    reach = {name: _reached(name, modules) for name in modules}
    groups = {
        tuple(sorted(other for other in reach[name] if name in reach[other])) for name in modules
    }
    return sorted(list(group) for group in groups if len(group) > 1)


def _reached(name: str, modules: dict[str, Module]) -> set[str]:
    """Return every module that *name* imports, directly or through others."""
    found, ahead = set[str](), [name]
    while ahead:
        new = (modules[ahead.pop()].imported & modules.keys()) - found
        found |= new
        ahead += new
    return found


@dataclass
class Reader:
    """Reads functions depth first, and notes in which order."""

    modules: dict[str, Module]
    order: list[str] = field(default_factory=list)
    """Functions and classes as ``module:name``, as they are read."""
    _attributes: dict[str, dict[str, Classes]] = field(default_factory=dict)
    """By class: the attributes that its ``__init__`` assigns."""

    def read(self, key: str) -> None:
        """Read one function or class and what it names, unless it was read before."""
        if key in self.order:
            return
        self.order.append(key)
        module, name = self._split(key)
        if name in module.classes:
            for made_by in ("__init__", "__post_init__"):
                if method := self.method(key, made_by):
                    self.read(method)
            return
        for named in Body(self, module, name).names():
            self.read(named)

    def files(self) -> list[Path]:
        """Return the file of each function read, in order."""
        return [self._split(key)[0].path for key in self.order]

    def method(self, cls: str, name: str) -> str | None:
        """Return the key of a class's method, which it may have from a base."""
        module, own = self._split(cls)
        if f"{own}.{name}" in module.functions:
            return f"{module.name}:{own}.{name}"
        bases = (self.resolve(module, base) for base in module.classes[own].bases)
        found = (self.method(base, name) for base in bases if base and self.is_class(base))
        return next((key for key in found if key), None)

    def resolve(self, module: Module, node: ast.expr) -> str | None:
        """Return what a dotted name means: ``module`` or ``module:name``; None when not ours."""
        if isinstance(node, ast.Name):
            return self._look_up(module, node.id)
        if isinstance(node, ast.Attribute) and (base := self.resolve(module, node.value)):
            if ":" not in base:
                inner = f"{base}.{node.attr}"
                return inner if inner in self.modules else self._in(base, node.attr)
            return self.method(base, node.attr) if self.is_class(base) else None
        return None

    def _look_up(self, module: Module, name: str) -> str | None:
        if name in module.functions or name in module.classes or name in module.assigned:
            return f"{module.name}:{name}"
        base, _, inner = module.imports.get(name, "").partition(":")
        return self._in(base, inner) if inner else base if base in self.modules else None

    def _in(self, module: str, name: str) -> str | None:
        """Look *name* up in another module, which may itself import it."""
        return self._look_up(self.modules[module], name) if module in self.modules else None

    def _split(self, key: str) -> tuple[Module, str]:
        name, _, inner = key.partition(":")
        return self.modules[name], inner

    def is_class(self, key: str) -> bool:
        """Say whether *key* is a class."""
        module, name = self._split(key)
        return name in module.classes

    def is_function(self, key: str) -> bool:
        """Say whether *key* is a function or a method."""
        module, name = self._split(key)
        return name in module.functions

    def annotated(self, module: Module, node: ast.expr | None, own: Classes = NONE) -> Classes:
        """Return every class of ours that an annotation names; *own* stands for ``Self``."""
        found = set[str]()
        for part in ast.walk(node) if node else ():
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                found |= self.annotated(module, _parsed(part.value), own)
            elif isinstance(part, ast.Name) and part.id == "Self":
                found |= own
            elif isinstance(part, ast.Name | ast.Attribute) and (key := self.resolve(module, part)):
                where, name = self._split(key)
                meant = where.assigned.get(name)
                if isinstance(meant, ast.Subscript | ast.BinOp):  # the name of a type
                    found |= self.annotated(where, meant)
                elif name in where.classes:
                    found.add(key)
        return frozenset(found)

    def returned(self, key: str) -> Classes:
        """Return the classes of ours that a function says it returns."""
        module, name = self._split(key)
        owner = name.rpartition(".")[0]
        own = frozenset({f"{module.name}:{owner}"} if owner else ())
        return self.annotated(module, module.functions[name].returns, own)

    def attribute(self, cls: str, name: str) -> Classes:
        """Return the classes of ours that an attribute of *cls* may have."""
        if method := self.method(cls, name):
            return self.returned(method)
        module, own = self._split(cls)
        for node in module.classes[own].body:
            if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == name:
                return self.annotated(module, node.annotation)
        if found := self._assigned_in_init(cls).get(name):
            return found
        bases = (self.resolve(module, base) for base in module.classes[own].bases)
        return next((self.attribute(base, name) for base in bases if base), NONE)

    def _assigned_in_init(self, cls: str) -> dict[str, Classes]:
        """Return the attributes that a class's ``__init__`` assigns, as far as it was read."""
        module, own = self._split(cls)
        if cls not in self._attributes and f"{own}.__init__" in module.functions:
            self._attributes[cls] = {}  # while it is read, one attribute may need another
            self._attributes[cls] = Body(self, module, f"{own}.__init__").attributes
        return self._attributes.get(cls, {})


def _parsed(text: str) -> ast.expr | None:
    """Parse an annotation that stands as text."""
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None


class Body:
    """One function's body: the classes of its variables, and the functions that it names."""

    def __init__(self, reader: Reader, module: Module, name: str) -> None:
        """Read the function's arguments and assignments."""
        self.reader, self.module, self.function = reader, module, module.functions[name]
        self.own = frozenset({f"{module.name}:{name.rpartition('.')[0]}"} if "." in name else ())
        self.variables = dict[str, Classes]()
        self.attributes = dict[str, Classes]()
        """Of ``self``, as far as they are assigned here."""
        for inner in (node for node in self._nodes() if isinstance(node, Function)):
            self._take_arguments(inner)
        for node in self._nodes():
            for target, value in _assigned(node):
                self._assign(target, value, getattr(node, "annotation", None))

    def _nodes(self) -> list[ast.AST]:
        """Return every node, in the order in which they stand, the outer before the inner."""
        nodes = [node for node in ast.walk(self.function) if hasattr(node, "lineno")]
        places = {id(node): (node.lineno, node.col_offset) for node in nodes}  # type: ignore[attr-defined]
        inside = [node for node in ast.walk(self.function) if id(node) not in places]
        return sorted(nodes, key=lambda node: places[id(node)]) + inside

    def _take_arguments(self, function: Function) -> None:
        given = function.args
        for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs):
            kinds = self.reader.annotated(self.module, argument.annotation, self.own)
            self.variables[argument.arg] = kinds
        if self.own and given.args and function is self.function:
            self.variables[given.args[0].arg] = self.own

    def _assign(self, target: ast.expr, value: ast.expr | None, said: ast.expr | None) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            same = isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts)
            for place, part in enumerate(target.elts):
                one = value.elts[place] if same and isinstance(value, ast.Tuple) else value
                self._assign(part, one, None)
            return
        kinds = self.reader.annotated(self.module, said) if said else self.kinds(value)
        if isinstance(target, ast.Name):
            self.variables[target.id] = self.variables.get(target.id, NONE) | kinds
        elif isinstance(target, ast.Attribute) and self.kinds(target.value) == self.own:
            self.attributes[target.attr] = self.attributes.get(target.attr, NONE) | kinds

    def kinds(self, node: ast.expr | None) -> Classes:
        """Return the classes of ours that an expression may have; of a container, its items'."""
        if isinstance(node, ast.Name):
            return self.variables.get(node.id, NONE)
        if isinstance(node, ast.Call):
            return self._made(node)
        if isinstance(node, ast.Attribute):
            return self._kinds_of_attribute(node)
        if isinstance(node, ast.Subscript | ast.Starred | ast.Await | ast.NamedExpr):
            return self.kinds(node.value)
        if isinstance(node, ast.IfExp | ast.BoolOp):
            return NONE.union(*map(self.kinds, _branches(node)))
        return NONE

    def _kinds_of_attribute(self, node: ast.Attribute) -> Classes:
        """Return the classes of an attribute; those of ``self`` that were assigned here first."""
        owners, here = self.kinds(node.value), self.attributes.get(node.attr, NONE)
        if not owners or (owners == self.own and here):
            return here
        return NONE.union(*(self.reader.attribute(cls, node.attr) for cls in owners))

    def _made(self, call: ast.Call) -> Classes:
        """Return what a call makes or returns; ``next(items)`` gives what *items* hold."""
        found = set[str]()
        for key in self._meant(call.func):
            is_class = self.reader.is_class(key)
            found |= {key} if is_class else self.reader.returned(key)
        if not found and isinstance(call.func, ast.Name) and not self._meant(call.func):
            return NONE.union(*map(self.kinds, call.args))
        return frozenset(found)

    def _meant(self, node: ast.expr) -> list[str]:
        """Return the functions and classes of ours that a name or an attribute may mean."""
        if isinstance(node, ast.Name) and node.id in self.variables:
            called = [self.reader.method(cls, "__call__") for cls in self.variables[node.id]]
            forward = [self.reader.method(cls, "forward") for cls in self.variables[node.id]]
            return sorted({key for key in called + forward if key})
        if (key := self.reader.resolve(self.module, node)) and ":" in key:
            known = self.reader.is_class(key) or self.reader.is_function(key)
            return [key] if known else []
        if isinstance(node, ast.Attribute):
            found = [self.reader.method(cls, node.attr) for cls in sorted(self.kinds(node.value))]
            return [key for key in found if key]
        return []

    def names(self) -> list[str]:
        """Return what is read next, in order: functions named, classes called, contexts entered."""
        nodes = self._nodes()
        called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
        found = list[tuple[tuple[int, int], str]]()
        for node in nodes:
            if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
                keys = self._meant(node)
                known = [key for key in keys if id(node) in called or self.reader.is_function(key)]
                found += [((node.lineno, node.col_offset), key) for key in known]
            elif isinstance(node, ast.With):
                for made in (item.context_expr for item in node.items):
                    place = (made.end_lineno or made.lineno, made.end_col_offset or 0)
                    found += [(place, key) for key in self._ends(made)]
        return [key for _, key in sorted(found, key=operator.itemgetter(0))]

    def _ends(self, made: ast.expr) -> list[str]:
        """Return what runs at both ends of a ``with``."""
        names, classes = ("__enter__", "__exit__"), sorted(self.kinds(made))
        found = [self.reader.method(cls, name) for cls in classes for name in names]
        return [key for key in found if key]


def _assigned(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """Yield each target that a node assigns to, with what."""
    if isinstance(node, ast.Assign):
        yield from ((target, node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
        yield node.target, node.value
    elif isinstance(node, ast.For | ast.comprehension):
        yield node.target, node.iter
    elif isinstance(node, ast.With):
        yield from ((i.optional_vars, i.context_expr) for i in node.items if i.optional_vars)


def _branches(node: ast.IfExp | ast.BoolOp) -> list[ast.expr]:
    """Return the expressions of which one is the value."""
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else node.values


def find(modules: dict[str, Module], names: Sequence[str]) -> str | None:
    """Return the key of the first of *names* that is a function of ours."""
    return next(
        (f"{m.name}:{name}" for name in names for m in modules.values() if name in m.functions),
        None,
    )


def room(path: Path) -> Path:
    """Return the room of a file: its folder in the package, or the file itself without one."""
    return path if len(path.parts) == 2 else Path(*path.parts[:2])


def switches(places: Sequence[Path]) -> int:
    """Count how often a place differs from the one before."""
    return sum(before != after for before, after in pairwise(places))


def spread(numbers: Sequence[int]) -> str:
    """Return the median and the most, as text."""
    return f"{statistics.median(numbers):g}, {max(numbers)}" if numbers else "-"


def files_a_folder(root: Path, folders: Sequence[str]) -> list[int]:
    """Count the Python files of each folder that has any."""
    paths = [path for folder in folders for path in (root / folder).rglob("*.py")]
    return [sum(p.parent == folder for p in paths) for folder in {p.parent for p in paths}]


def long_lines(root: Path) -> int:
    """Count the lines of Python that are longer than :data:`COLUMNS`."""
    paths = (path for folder in FOLDERS for path in (root / folder).rglob("*.py"))
    return sum(len(line) > COLUMNS for path in paths for line in path.read_text().splitlines())


def measure(root: Path) -> dict[str, str]:
    """Return the table's rows for one checkout: what is measured, and its figure."""
    modules = read_modules(root)
    imported = [module.imported for module in modules.values()]
    rows = {
        "files a folder of the program (median, most)": spread(files_a_folder(root, PACKAGES)),
        "files a folder of the tests (median, most)": spread(files_a_folder(root, ["tests"])),
        "imports a file (median, most)": spread([len(names) for names in imported]),
        "of these, ours (median, most)": spread([len(n & modules.keys()) for n in imported]),
        f"lines over {COLUMNS} columns": str(long_lines(root)),
        "import circles": _told(circles(modules)),
    }
    for what, names in ENTRIES.items():
        start, reader = find(modules, names), Reader(modules)
        if start:
            reader.read(start)
        files = reader.files()
        places = (files, [path.parent for path in files], [room(path) for path in files])
        rows[f"{what}: functions read; files, folders, rooms"] = f"{len(files)}; " + ", ".join(
            str(len(set(place))) for place in places
        )
        rows[f"{what}: switches of file, folder, room"] = ", ".join(
            str(switches(place)) for place in places
        )
    return rows


def _told(groups: list[list[str]]) -> str:
    return f"{len(groups)}" + "".join(f"; {' + '.join(group)}" for group in groups)


def table(measured: dict[str, dict[str, str]]) -> str:
    """Return a markdown table of the rows of each checkout, by its heading."""
    headings = ["what", *measured]
    what = next(iter(measured.values()))
    lines = [headings, ["---"] * len(headings)]
    lines += [[row, *(figures[row] for figures in measured.values())] for row in what]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Print the table for the checkouts named on the command line."""
    roots = [Path(argument) for argument in arguments]
    wrong = [root for root in roots if not (root / "edge" / "station.py").is_file()]
    if wrong or not roots:
        print(
            "house: name one or more checkouts of stampgate (folders with edge/station.py)"
            + "".join(f", not {root}" for root in wrong),
            file=sys.stderr,
        )
        return 2
    print(table({str(root): measure(root) for root in roots}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
