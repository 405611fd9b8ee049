"""What a PromQL query needs of the metrics, found by a real parser.

Selected(metric, labels, values)    one metric of a query: the labels that the query names for it, and {label:
                                    value} of those that it wants equal to a value
selected(query) -> [Selected, …]    Grafana's variables are filled in first
labels_of(query) -> labels that its answer has; None for all that the metric has
"""

from dataclasses import dataclass

import promql_parser as promql

VARIABLES = {"$__rate_interval": "1m", "$window": "1h"}
MADE_BY_PROMETHEUS = frozenset({"job", "instance"})
"""Labels that Prometheus gives to whatever it scrapes."""


@dataclass(frozen=True, slots=True)
class Selected:
    metric: str
    labels: frozenset[str]
    values: tuple[tuple[str, str], ...]


def selected(query: str) -> list[Selected]:
    found: list[Selected] = []
    _visit(_parsed(query), frozenset(), found)
    return found


def labels_of(query: str) -> set[str] | None:
    node = _parsed(query)
    while not isinstance(node, promql.AggregateExpr):
        if isinstance(node, promql.ParenExpr):
            node = node.expr
        elif isinstance(node, promql.Call):
            node = next((each for each in node.args if not isinstance(each, promql.NumberLiteral)), None)
        elif isinstance(node, promql.BinaryExpr):
            node = node.lhs
        else:
            return None
    return set(node.modifier.labels if node.modifier else ())


def _parsed(query: str):
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    assert "$" not in query, f"a variable that nobody fills in: {query}"
    return promql.parse(query)


def _visit(node, labels, found):
    if isinstance(node, promql.VectorSelector):
        matchers = node.matchers.matchers
        named = labels | {matcher.name for matcher in matchers}
        equal = tuple((m.name, m.value) for m in matchers if m.op == promql.MatchOp.Equal)
        found.append(Selected(node.name, frozenset(named - MADE_BY_PROMETHEUS), equal))
    elif isinstance(node, promql.MatrixSelector):
        _visit(node.vector_selector, labels, found)
    elif isinstance(node, promql.AggregateExpr):
        _visit(node.expr, labels | set(node.modifier.labels if node.modifier else ()), found)
    elif isinstance(node, promql.BinaryExpr):
        matching = node.modifier.matching if node.modifier else None
        more = labels | set(matching.labels if matching else ())
        _visit(node.lhs, more, found)
        _visit(node.rhs, more, found)
    elif isinstance(node, promql.Call):
        for argument in node.args:
            _visit(argument, labels, found)
    elif isinstance(node, promql.ParenExpr | promql.UnaryExpr | promql.SubqueryExpr):
        _visit(node.expr, labels, found)
    else:
        assert isinstance(node, promql.NumberLiteral | promql.StringLiteral), f"what is {node!r}?"
