# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables, plots and verdicts of what scripts/measure-placement has measured."""

import collections
import itertools
import statistics
import sys

from which_abi_plots import block, draw_plot

POLICIES = ("free", "pin", "numad", "nodes", "xen-place")
LOADS = (50, 75, 97)
# Colours that the colour-blind can tell apart, too (Okabe and Ito).
COLOURS = {"free": "#0072b2", "pin": "#e69f00", "numad": "#cc79a7", "nodes": "#56b4e9",
           "xen-place": "#009e73"}


def ratio(result):
    """How long vCPUs waited for each second that they ran."""
    return result["delay"] / result["run"] if result["run"] else 0


def node_moves(result):
    return result["node-moves"] / result["time"]


def crossed(result):
    """Of all events, in per cent."""
    return 100 * result["crossed"] / result["events"] if result["events"] else 0


def work(result):
    """Steps of computing for each second that vCPUs ran: memory and caches show in it."""
    return result["steps"] / result["run"] if result["run"] else 0


class Cells:
    """Results by case, guests, load and policy; a figure of several seeds is their mean."""

    def __init__(self, results):
        self.found = collections.defaultdict(list)
        for result in results:
            self.found[result["case"], result["guests"], result["load"],
                       result["policy"]].append(result)

    def mean(self, case, guests, load, policy, figure):
        some = self.found.get((case, guests, load, policy))
        return statistics.mean(map(figure, some)) if some else None

    def doubt(self, case, guests, load, other, figure, limit):
        """Two standard errors of how far xen-place is above the limit, over the seeds."""
        theirs = {r["seed"]: figure(r) for r in self.found[case, guests, load, other]}
        above = [figure(r) - limit(theirs[r["seed"]])
                 for r in self.found[case, guests, load, "xen-place"] if r["seed"] in theirs]
        return 2 * statistics.stdev(above) / len(above) ** 0.5 if len(above) > 1 else 0

    def guests(self, case):
        return sorted({key[1] for key in self.found if key[0] == case})

    def loads(self, case):
        return sorted({key[2] for key in self.found if key[0] == case})

    def by_seed(self, case):
        """How many cells each seed has."""
        return collections.Counter(result["seed"] for result in self.some(case))

    def some(self, case, policy=None):
        return [result for result in self.all(policy) if result["case"] == case]

    def all(self, policy=None):
        return [result for key, some in self.found.items()
                if policy in (None, key[3]) for result in some]


class Judge:
    """Limits, each with the cells that miss it."""

    def __init__(self):
        self.rows = []

    def cells(self, text, limit, cases):
        """
        @cases: (name, measured, allowed[, how far seeds alone may take it above]). The limit
        holds if none is further above.
        """
        cases = [(*case, 0)[:4] for case in cases]
        if not cases:
            return
        above = [case for case in cases if case[1] > case[2] + 1e-9]
        missed = [case for case in above if case[1] > case[2] + case[3] + 1e-9]
        said = f"{len(cases) - len(above)} of {len(cases)}"
        for text_of, some in (("cannot be told from it", [c for c in above if c not in missed]),
                              ("**miss it**", missed)):
            if some:
                name, value, allowed, _ = max(some, key=lambda case: case[1] - case[2])
                said += f"; {len(some)} {text_of}, by most {name}: " \
                        f"{value:.4f}, allowed {allowed:.4f}"
        self.rows.append((text, limit, said, not missed))


def judge_matrix(cells, judge):
    def pairs(other, figure, limit, loads=None):
        for guests, load in itertools.product(cells.guests("matrix"), cells.loads("matrix")):
            ours = cells.mean("matrix", guests, load, "xen-place", figure)
            theirs = cells.mean("matrix", guests, load, other, figure)
            if ours is not None and theirs is not None and (not loads or loads(load)):
                yield (f"{guests} guests at {load} %", ours, limit(theirs),
                       cells.doubt("matrix", guests, load, other, figure, limit))

    judge.cells("waits, against free", "1.10 × + 0.02",
                pairs("free", ratio, lambda other: 1.1 * other + 0.02))
    judge.cells("waits, against pin, up to 75 %", "1.00 ×",
                pairs("pin", ratio, lambda other: other, lambda load: load <= 75))
    judge.cells("waits, against pin, above 90 %", "1.10 ×",
                pairs("pin", ratio, lambda other: 1.1 * other, lambda load: load > 90))
    judge.cells("migrations across nodes in runs in which no cage is wider than a node "
                "and no mask changes", "0",
                ((f"{r['guests']} guests at {r['load']} %, seed {r['seed']}", r["node-moves"], 0)
                 for r in cells.some("matrix", "xen-place")
                 if not r["wide"] and r["masks"] == r["masks-before"]))
    judge.cells("events that cross a node, against free", "10 %",
                pairs("free", crossed, lambda other: 0.1 * other))
    judge.cells("Jain's index of guests' run time, below free's by", "0.02",
                pairs("free", lambda r: -r["jain"], lambda other: other + 0.02))


def judge_cases(cells, judge):
    def each(case, policy="xen-place"):
        for result in cells.some(case, policy):
            yield f"seed {result['seed']}", result

    judge.cells("two hot guests in one node: they wait after 10 s", "0.15",
                ((name, r["hot-delay"] / r["hot-run"], 0.15) for name, r in each("hot")))
    judge.cells("two hot guests in one node: masks set", "8",
                ((name, r["hot-masks"], 8) for name, r in each("hot")))
    judge.cells("two hot guests in one node: events that cross a node, %", "5",
                ((name, crossed(r), 5) for name, r in each("hot")))
    free = {r["seed"]: ratio(r) for r in cells.some("locked", "free")}
    judge.cells("all in step, 3 ms of 12: waits after 60 s, against free", "1.25 ×",
                ((name, ratio(r), 1.25 * free[r["seed"]]) for name, r in each("locked")
                 if r["seed"] in free))
    judge.cells("a bad move is taken back, windows", "3",
                ((name, r["windows"], 3) for name, r in each("bad-move")))
    judge.cells("a bad move is not tried again", "0",
                ((name, r["again"], 0) for name, r in each("bad-move")))
    judge.cells("masks right again when a CPU was off and on, seconds", "2",
                ((name, r["on"], 2) for name, r in each("cpu-off")))
    judge.cells("isolated CPUs: masks with several of them", "0",
                ((name, r["several"], 0) for name, r in each("isolated")))
    judge.cells("isolated CPUs: four busy vCPUs wait there", "0.05",
                ((name, r["hot-delay"] / r["hot-run"], 0.05) for name, r in each("isolated")))
    judge.cells("real-time threads of the kernel's for what xen-place listens to", "0",
                ((f"{r['case']}, {r['guests']} guests at {r['load']} %, seed {r['seed']}",
                  r["psimon"], 0) for r in cells.all("xen-place") if "psimon" in r))
    judge.cells("steady load: actions a minute after the first", "1",
                ((name, max(r["actions"] - 1, 0) * 60 / r["time"], 1)
                 for name, r in each("steady")))


def number(value, digits=3):
    return "" if value is None else f"{value:.{digits}f}"


def table(cells, title, figure, digits):
    print(f"\n{title}\n")
    print("| guests | load | " + " | ".join(POLICIES) + " |")
    print("|--:|--:|" + "--:|" * len(POLICIES))
    for guests, load in itertools.product(cells.guests("matrix"), cells.loads("matrix")):
        values = [cells.mean("matrix", guests, load, policy, figure) for policy in POLICIES]
        if any(value is not None for value in values):
            print(f"| {guests} | {load} % | " +
                  " | ".join(number(value, digits) for value in values) + " |")


def plot(cells, directory, name, title, unit, figure):
    """A panel for each load."""
    loads, text = cells.loads("matrix"), ""
    for k, load in enumerate(loads):
        text += block(f"d{k}", [[guests] + [cells.mean("matrix", guests, load, policy, figure)
                                            for policy in POLICIES]
                                for guests in cells.guests("matrix")])
    text += (f"set multiplot layout 1,{len(loads)} margins 0.07,0.99,0.24,0.84 "
             f'spacing 0.06,0.1 title "{title}" font ",15"\n'
             "set style data histograms; set style histogram clustered gap 1\n"
             "set style fill solid 1 noborder; set boxwidth 0.95 relative\n"
             'set yrange [0:*]; set xtics scale 0; set xlabel "guests" offset 0,0.6\n'
             'set title font ",13" offset 0,-0.4; unset key\n')
    for i, policy in enumerate(POLICIES):
        text += (f'set label {i + 1} "{policy}" at screen {0.2 + 0.13 * i}, 0.04 point pt 5 '
                 f'ps 1.5 lc rgb "{COLOURS[policy]}" offset 1,0 noenhanced\n')
    for k, load in enumerate(loads):
        # gnuplot refuses a column in which nothing is.
        bars = ", ".join(f'$d{k} using {i + 2}:xtic(1) lc rgb "{COLOURS[policy]}"'
                         for i, policy in enumerate(POLICIES)
                         if any(cells.mean("matrix", guests, load, policy, figure) is not None
                                for guests in cells.guests("matrix")))
        text += f'set ylabel "{"" if k else unit}" offset 1.5,0\nset title "{load} % load"\n'
        text += f"plot {bars}\n"
        if not k:
            text += "".join(f"unset label {i + 1}\n" for i in range(len(POLICIES)))
    draw_plot(f"{directory}/{name}.svg", 860, 340, text + "unset multiplot\n")


def others_table(cells):
    rows = []
    for r in sorted(cells.some("hot"), key=lambda r: (r["policy"], r["seed"])):
        rows.append((f"two hot guests in one node, {r['policy']}, seed {r['seed']}",
                     f"wait {r['hot-delay'] / r['hot-run']:.3f}, {r['hot-masks']} masks set"))
    for r in sorted(cells.some("locked"), key=lambda r: (r["policy"], r["seed"])):
        rows.append((f"all in step, {r['policy']}, seed {r['seed']}",
                     f"wait {ratio(r):.3f}, {r['masks']} masks set"))
    for r in cells.some("bad-move"):
        rows.append((f"a bad move, seed {r['seed']}",
                     f"taken back after {r['windows']} windows, {r['again']} times again"))
    for r in cells.some("cpu-off"):
        rows.append((f"a CPU off and on, seed {r['seed']}",
                     f"masks right {r['on']:.1f} s after on" +
                     (f", {r['off']:.1f} s after off" if r["off"] < 30 else
                      ", not in the 30 s that it was off")))
    for r in cells.some("isolated"):
        rows.append((f"isolated CPUs, seed {r['seed']}",
                     f"four busy vCPUs wait {r['hot-delay'] / r['hot-run']:.3f}, "
                     f"{r['several']} masks with several isolated CPUs"))
    for r in cells.some("steady"):
        rows.append((f"steady load, {r['time']:.0f} s, seed {r['seed']}",
                     f"{r['actions']} actions, {r['rolled-back']} taken back"))
    for load in cells.loads("matrix"):
        own = [r["daemon"] / r["time"] for r in cells.some("matrix", "xen-place") if r["load"] == load]
        if own:
            rows.append((f"what xen-place itself runs at {load} % load, of one CPU's time",
                         f"{100 * statistics.mean(own):.1f} %"))
    if rows:
        print("\n| | measured |\n|---|---|")
        for row in rows:
            print("| " + " | ".join(row) + " |")


def report(results, directory):
    """
    Prints what there is; 1 if a limit is missed. With @directory it is a page, which may say
    so, with plots there.
    """
    cells, judge = Cells(results), Judge()
    if not results:
        print("measure-placement: there are no results", file=sys.stderr)
        return 1
    if cells.guests("matrix"):
        one = cells.some("matrix")[0]
        print(f"{one['cpus']} CPUs in {one['nodes']} nodes, guests of {one['vcpus']} vCPUs. " +
              "; ".join(f"seed {seed}: {number} cells" for seed, number in
                        sorted(cells.by_seed("matrix").items())) + ".")
        table(cells, "Waiting / running (mean of the seeds that there are):", ratio, 3)
        table(cells, "Migrations to another node a second, all vCPUs together:", node_moves, 0)
        table(cells, "Events that went to a vCPU on another node, %:", crossed, 0)
        if one["host"] == "here":
            table(cells, "Steps of work in a second that a vCPU runs:", work, 0)
        if directory:
            plot(cells, directory, "placement-waiting", "How long vCPUs wait",
                 "waiting / running", ratio)
            plot(cells, directory, "placement-events", "Events to another node", "%", crossed)
            print("\n![How long vCPUs wait, by guests, load and policy](placement-waiting.svg)\n\n"
                  "![Events that went to another node](placement-events.svg)")
        judge_matrix(cells, judge)
    others_table(cells)
    judge_cases(cells, judge)
    print("\n| xen-place | limit | cells that keep it |\n|---|--:|---|")
    for text, limit, said, _ in judge.rows:
        print(f"| {text} | {limit} | {said} |")
    return 0 if directory or all(row[3] for row in judge.rows) else 1
