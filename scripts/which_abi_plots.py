# SPDX-License-Identifier: GPL-2.0-or-later
"""The plots of docs/which-abi.md: SVG by gnuplot."""

import subprocess

# Colours that the colour-blind can tell apart, too (Okabe and Ito).
COLOURS = {"2-level": "#0072b2", "3-level": "#e69f00", "FIFO": "#009e73"}
GREY = "#555555"

STYLE = """\
set terminal svg size {width},{height} dynamic enhanced font "sans-serif,13" \\
    background "#ffffff"
set output "{path}"
set border 3 lw 1 lc rgb "{grey}"
set tics nomirror out textcolor rgb "#222222"
set grid ytics lc rgb "#dddddd" lw 1 lt 1
set key outside bottom center horizontal samplen 2 width 2 noenhanced
set title font ",15" offset 0,0.3
"""

POWERS = ", ".join(f'"{10 ** n:,}" {10 ** n}' for n in range(7))


def draw(directory, name, width, height, commands):
    draw_plot(f"{directory}/which-abi-{name}.svg", width, height, commands)


def draw_plot(path, width, height, commands):
    script = STYLE.format(width=width, height=height, path=path, grey=GREY)
    subprocess.run(["gnuplot"], input=script + commands, text=True, check=True)
    with open(path) as plot:
        text = plot.read()
    # After the XML declaration, which must be first.
    first, rest = text.split("\n", 1)
    with open(path, "w") as plot:
        plot.write(f"{first}\n<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n"
                   + "\n".join(line.rstrip() for line in rest.split("\n")))


def block(name, rows):
    """Rows as a data block of gnuplot's; None is a missing value."""
    lines = (" ".join("NaN" if cell is None else str(cell) for cell in row)
             for row in rows)
    return f"${name} << EOD\n" + "\n".join(lines) + "\nEOD\n"


def quoted(label):
    return '"' + label + '"'


def plot_one_thread(directory, bench, cases, abis):
    rows = [[quoted(label)] + [bench.get(case, abi, 1, "yardsticks")
                               for abi in abis]
            for case, label in cases.items()]
    bars = ", ".join(
        f'$data using {i + 2}:xtic(1) title "{name}" lc rgb "{COLOURS[name]}"'
        for i, name in enumerate(abis.values()))
    labels = ", ".join(
        f'$data using ($0 + {(i - 1) * 0.25}):{i + 2}:'
        f'(sprintf("%.1f", ${i + 2})) with labels offset 0,0.5 '
        f'font ",10" textcolor rgb "#222222" notitle'
        for i in range(len(abis)))
    draw(directory, "one-thread", 860, 440, block("data", rows) + f"""\
set title "What one event costs, one thread"
set ylabel "yardsticks"
set yrange [0:*]
set offsets 0, 0, graph 0.08, 0
set xrange [-0.6:{len(rows) - 0.4}]
set style data histograms
set style histogram clustered gap 1
set style fill solid 1 noborder
set boxwidth 0.92 relative
set xtics scale 0
set bmargin 6
plot {bars}, {labels}
""")


def plot_threads(directory, bench, cases, abis, threads):
    """A panel for each case; what lies beyond the processors is shaded."""
    text = ""
    for k, case in enumerate(cases):
        text += block(f"data{k}", [
            [n] + [bench.get(case, abi, n, "yardsticks") for abi in abis]
            for n in threads])
    text += f"""\
set multiplot layout {(len(cases) + 1) // 2},2 spacing 0.1,0.14 \\
    margins 0.09,0.98,0.13,0.88 \\
    title "What one event costs, 1 to 16 threads" font ",15"
set logscale x 2
set logscale y 2
set format y "%.0f"
set xrange [0.9:18]
set xtics ({", ".join(str(n) for n in threads)})
set title font ",13" offset 0,-0.3
set xlabel "threads" offset 0,0.5
"""
    edge = bench.processors * 1.19
    if edge < 18:
        text += (f"set object 1 rectangle from {edge}, graph 0 to 18, graph 1 "
                 'behind fillcolor rgb "#f2f2f2" fillstyle solid 1 noborder\n'
                 f'set label 1 "threads take turns" at {edge}, graph 0.94 '
                 f'offset 1,0 font ",11" textcolor rgb "{GREY}"\n')
    # One legend for all panels, below them.
    text += "unset key\n"
    for i, name in enumerate(abis.values()):
        text += (f'set label {i + 2} "{name}" at screen {0.38 + 0.12 * i}, 0.025 '
                 f'point pt {5 + 2 * i} lc rgb "{COLOURS[name]}" offset 1,0\n')
    for k, label in enumerate(cases.values()):
        lines = ", ".join(
            f'$data{k} using 1:{i + 2} with linespoints lw 2 pt {5 + 2 * i} '
            f'ps 0.7 lc rgb "{COLOURS[name]}"'
            for i, name in enumerate(abis.values()))
        text += f'set title "{label}"\n'
        text += f'set ylabel "{"" if k % 2 else "yardsticks"}" offset 1,0\n'
        text += f"plot {lines}\n"
        if k == 0:
            text += "".join(f"unset label {i + 2}\n" for i in range(len(abis)))
    draw(directory, "threads", 860, 700, text + "unset multiplot\n")


def plot_memory(directory, bench, abis):
    text = ""
    lines = []
    for k, (abi, name) in enumerate(abis.items()):
        rows = [[row["ports"], row["bytes"] / 1024,
                 (row["bytes"] + row["guest-bytes"]) / 1024]
                for row in bench.memory if row["abi"] == abi]
        text += block(f"data{k}", rows)
        lines.append(f'$data{k} using 1:3 with linespoints lw 2 pt {5 + 2 * k} '
                     f'ps 0.7 lc rgb "{COLOURS[name]}" title "{name}"')
        lines.append(f'$data{k} using 1:2 with lines lw 1.5 dt 2 '
                     f'lc rgb "{COLOURS[name]}" notitle')
    lines.append(f'NaN with lines lw 1.5 dt 2 lc rgb "{GREY}" '
                 'title "without the guest\'s pages"')
    draw(directory, "memory", 860, 460, text + f"""\
set title "Memory of a 64-bit guest's event channels, one vCPU"
set logscale xy
set xrange [8:400000]
set yrange [2:10000]
set xtics ({POWERS})
set ytics ({POWERS})
set xlabel "open ports"
set ylabel "KiB"
set bmargin 7
plot {", ".join(lines)}
""")


def plot_timer(directory, figures, hosts, names):
    """A group of bars for each host: the median, with a whisker up to the longest."""
    hosts = [h for h in hosts if any(h in row for row in figures.values())]
    kinds = sorted(figures)
    text = ""
    lines = []
    for k, (abi, priority) in enumerate(kinds):
        row = figures[abi, priority]
        text += block(f"data{k}", [
            [i + (k - (len(kinds) - 1) / 2) * 0.2] +
            list(row.get(host, [None, None]))
            for i, host in enumerate(hosts)])
        title = names[abi] + ("" if priority == "none" else
                              f", timer at {priority} priority")
        fill = "pattern 5" if priority == "highest" else "solid 1"
        lines.append(f'$data{k} using 1:2:(0.17) with boxes fillstyle {fill} '
                     f'noborder lc rgb "{COLOURS[names[abi]]}" title "{title}"')
        lines.append(f'$data{k} using 1:2:(0):($3 - $2) with vectors '
                     f'arrowstyle 1 notitle')
    tics = ", ".join(f'"{host}" {i}' for i, host in enumerate(hosts))
    draw(directory, "timer", 860, 440, text + f"""\
set title "How late the timer is under a storm: median, and up to the longest"
set logscale y
set yrange [10:100000]
set xrange [-0.6:{len(hosts) - 0.4}]
set xtics ({tics}) scale 0
set ytics ({POWERS})
set ylabel "microseconds"
set bmargin 6
set style arrow 1 head size screen 0.006,90 nofilled lw 1.3 lc rgb "{GREY}"
plot {", ".join(lines)}
""")
