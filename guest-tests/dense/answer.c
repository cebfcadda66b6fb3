/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only test of the image "dense", of which scripts/dense runs many: a guest that
 * says that it is up, answers each line of its console with that line, and else
 * sleeps without a timer.  The line "off" ends it.
 */

#include "console.h"
#include "internal.h"

/* Waits until the console has input, and reads a line of at most @size - 1 bytes. */
static size_t read_line(char *line, size_t size)
{
    static void *const volatile nothing_to_do;
    size_t length = 0;

    for (;;) {
        char c;

        /* The console's event must not come between the look and the sleep. */
        upcalls_disable();
        if (!console_read(&c, 1)) {
            arch_vcpu_idle(0, &nothing_to_do);
            continue;
        }
        upcalls_enable();
        if (c == '\n') {
            line[length] = 0;
            return length;
        }
        if (length < size - 1) {
            line[length++] = c;
        }
    }
}

TEST(answer, "")
{
    static char line[80];
    evtchn_port_t port = console_port();
    unsigned int answers = 0;

    require(abi_grow(port + 1) == 0);
    port_unmask(port);
    test_note("up");
    for (;;) {
        size_t length = read_line(line, sizeof(line));

        if (length == 3 && !memcmp(line, "off", 3)) {
            break;
        }
        answers++;
        test_note("%s", line);
    }
    /* The event woke this vCPU each time, which nothing else could do. */
    check(received(port) >= answers && answers > 0);
    check_equal(upcalls_by(UPCALL_VECTOR) >= answers, true);
}
