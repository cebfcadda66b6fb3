/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the first C code to the tests, and the guest's end. */

#include "internal.h"

const char guest_type[] = GUEST_TYPE;
struct shared_info *shared_info;
const char *command_line = "";

void main(void);

bool host_is_xen(void)
{
    const char *host = command_line_value("host");

    return host && !memcmp(host, "xen", 3);
}

void shutdown(unsigned int reason)
{
    struct sched_shutdown shutdown = { .reason = reason };

    for (;;) {
        HYPERVISOR_sched_op(SCHEDOP_shutdown, &shutdown);
    }
}

void crash(const char *format, ...)
{
    va_list list;

    print("Bail out! ");
    va_start(list, format);
    print_list(format, list);
    va_end(list);
    print("\n");
    console_flush();
    shutdown(SHUTDOWN_crash);
}

void main(void)
{
    arch_init();
    console_init();
    vcpus_init();
    run_tests();
}
