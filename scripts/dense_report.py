# SPDX-License-Identifier: GPL-2.0-or-later
"""What scripts/dense has measured: a summary, the tables of docs/density.md, a plot."""

from which_abi_plots import block, draw_plot


def print_summary(result):
    memory, idle, creation = result["memory"], result["idle"], result["creation"]
    n, compared = result["guests"], creation["compared"]
    print(f"{n} guests of {result['mib']} MiB"
          + (f": {result['ended_by']}" if result["ended_by"] else ""))
    print(f"creation: the first {compared} in {creation['first'] * 1000:.1f} ms each, "
          f"the last {compared} in {creation['last'] * 1000:.1f} ms: "
          f"{creation['slower']:.2f} times (of the means "
          f"{creation['mean']['slower']:.2f}); processor time "
          f"{creation['processor']['first'] * 1000:.1f} ms and "
          f"{creation['processor']['last'] * 1000:.1f} ms: "
          f"{creation['processor']['slower']:.2f} times")
    print(f"memory of each: {memory['private_mib']:.2f} MiB private (the largest "
          f"{memory['private_mib_most']:.2f}), {memory['counted_mib']:.2f} MiB of the "
          "host's in all")
    print(f"idle, all together: {idle['percent_of_a_processor']:.2f} % of a processor, "
          f"{idle['switches_a_second']:.1f} switches a second")
    print(f"console: {result['answered']} answered, in {result['answer_seconds']:.1f} "
          f"s; {result['powered_off']} powered off")
    if result["compared"]:
        print_compared(result["compared"])


def print_compared(table):
    print("\n| machine | private, MiB | start, ms | idle, % of a processor | switches a "
          "second |\n|---|--:|--:|--:|--:|")
    for row in table:
        print(f"| {row['machine']} | {row['private_mib']:.2f} | "
              f"{row['seconds'] * 1000:.1f} | "
              f"{row['idle_percent']:.3f} | {row['switches']:.1f} |")


def guests(n):
    return f"{n:,} guests"


def print_figures(results):
    """A column for each run."""
    rows = [
        ("RAM of each, MiB", lambda r: r["mib"]),
        ("**private memory of each, MiB**",
         lambda r: f"{r['memory']['private_mib']:.2f}"),
        ("the same, of the largest", lambda r: f"{r['memory']['private_mib_most']:.2f}"),
        ("**the host's memory for each, all counted, MiB**",
         lambda r: f"{r['memory']['counted_mib']:.2f}"),
        ("PSS of each, MiB", lambda r: f"{r['memory']['pss_mib']:.2f}"),
        ("page tables of each, KiB",
         lambda r: f"{r['memory']['page_tables_mib'] * 1024:.0f}"),
        ("kernel stacks of each, KiB",
         lambda r: f"{r['memory']['host_mib']['KernelStack'] * 1024 / r['guests']:.0f}"),
        ("in all, GiB",
         lambda r: f"{r['memory']['counted_mib'] * r['guests'] / 1024:.2f}"),
        ("creation of the first, ms (median of as many as are compared)",
         lambda r: f"{r['creation']['first'] * 1000:.1f}"),
        ("creation of the last, ms", lambda r: f"{r['creation']['last'] * 1000:.1f}"),
        ("**the last to the first**", lambda r: f"{r['creation']['slower']:.2f} (of "
                                                f"{r['creation']['compared']})"),
        ("the same, of means", lambda r: f"{r['creation']['mean']['slower']:.2f}"),
        ("QEMU's processor time for it, first and last, ms",
         lambda r: f"{r['creation']['processor']['first'] * 1000:.1f}, "
                   f"{r['creation']['processor']['last'] * 1000:.1f}"),
        ("**idle, all together, % of one processor**",
         lambda r: f"{r['idle']['percent_of_a_processor']:.2f}"),
        ("thread switches a second, all together",
         lambda r: f"{r['idle']['switches_a_second']:.1f}"),
        ("for so many seconds", lambda r: f"{r['idle']['seconds']:.0f}"),
        ("**answered on their consoles**", lambda r: f"{r['answered']:,}"),
        ("all answers took, s", lambda r: f"{r['answer_seconds']:.1f}"),
        ("powered off when told", lambda r: f"{r['powered_off']:,}"),
    ]
    names = [guests(r["guests"]) + (", Linux" if r["kind"] == "linux" else "")
             for r in results]
    print("| | " + " | ".join(names) + " |")
    print("|---|" + "--:|" * len(results))
    for name, cell in rows:
        print(f"| {name} | " + " | ".join(str(cell(r)) for r in results) + " |")


def print_document(results, directory):
    first = results[0]["host"]
    memory = first["memory_mib"]
    print(f"It has {memory / 1024:.1f} GiB and Linux {first['kernel']}; on TCG.\n")
    print_figures(results)
    for result in results:
        if result["ended_by"]:
            print(f"\nThe run for the most of them ended at {guests(result['guests'])}: "
                  f"{result['ended_by']}.")
    most = max((r for r in results if r["kind"] == "small"),
               key=lambda r: r["guests"])
    end = int(memory / most["memory"]["counted_mib"])
    print(f"\nWhat ends it is memory: as {guests(most['guests'])} take it, this "
          f"machine's would be used up by about {end:,}.")
    for result in (r for r in results if r["guests"] >= 500):
        name = f"density-{result['guests']}.svg"
        plot(f"{directory}/{name}", result)
        print(f"\n![Creation and memory, {guests(result['guests'])}]({name})")
    for result in results:
        if result["compared"]:
            print("\n## The same guest on other machines\n\nThe mean of "
                  "some guests of each, run one kind after the other in the same run; "
                  "the start is the median.")
            print_compared(result["compared"])


def plot(path, result):
    """Above, each guest's creation; below, the host's memory; by the guests' number."""
    seconds = result["creation"]["seconds"]
    window = max(1, len(seconds) // 50)
    means = [[(i + 1) * window - window / 2,
              sum(seconds[i * window:(i + 1) * window]) * 1000 / window]
             for i in range(len(seconds) // window)]
    text = block("each", [[i + 1, s * 1000] for i, s in enumerate(seconds)])
    text += block("mean", means)
    text += block("memory", [[n, mib / 1024] for n, mib in result["samples"]])
    text += f"""\
set multiplot layout 2,1 margins 0.09,0.97,0.09,0.91 spacing 0.1,0.11 \\
    title "{guests(result['guests'])} of {result['mib']} MiB, one after the other" font ",15"
set xrange [0:{result['guests']}]
set yrange [0:*]
set key inside top left vertical
set title font ",13" offset 0,-0.5
set title "from the request to the guest's line on its console"
set ylabel "ms"
plot $each using 1:2 with points pt 7 ps 0.15 lc rgb "#9ecae1" title "each", \\
    $mean using 1:2 with lines lw 2 lc rgb "#0072b2" title "mean of {window}"
unset key
set title "the host's memory that is gone"
set ylabel "GiB"
set xlabel "guests" offset 0,0.5
plot $memory using 1:2 with lines lw 2 lc rgb "#e69f00"
unset multiplot
"""
    draw_plot(path, 860, 640, text)
