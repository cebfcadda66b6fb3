/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a domain from dom0: lets xl create it from CONFIGURATION, paused,
 * unpauses it, and prints its console and how it ended, in the format of
 * guest/run-qemu. It replaces xenconsoled, which reads a console no more than
 * 150 times a second, and not at all once the guest has closed its channel.
 *
 * usage: xen-domain ID SECONDS CONFIGURATION [COMMAND_LINE]
 *
 * It writes COMMAND_LINE, if given, to an HVM guest's start info, as libxl does
 * for PV and PVH guests only.
 */

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <xenctrl.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xenguest.h>
#include <xenstore.h>
#include <xen/hvm/save.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/io/console.h>
#include <xen/sched.h>

static uint32_t domid;
static const char *id;
static xc_interface *xc;
static xenforeignmemory_handle *memory;
static struct xs_handle *store;

static void __attribute__((noreturn, format(printf, 1, 2)))
fail(const char *format, ...)
{
    va_list arguments;

    printf("\nxenkvm-guest: end %s failed ", id);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    exit(0);
}

static void *map(xen_pfn_t gfn)
{
    void *page = xenforeignmemory_map(memory, domid, PROT_READ | PROT_WRITE, 1,
                                      &gfn, NULL);

    if (!page) {
        fail("its frame %#lx cannot be mapped: %s", (long)gfn, strerror(errno));
    }
    return page;
}

/* The value of @name in the console's directory of XenStore; to be freed. */
static char *console_value(const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "/local/domain/%u/console/%s", domid, name);
    return xs_read(store, XBT_NULL, path, NULL);
}

static unsigned long console_number(const char *name)
{
    char *text = console_value(name);
    unsigned long number;

    if (!text) {
        fail("XenStore has no %s of its console", name);
    }
    number = strtoul(text, NULL, 10);
    free(text);
    return number;
}

/* Whether the domain exists; the one before it may still be dying. */
static bool find_domain(void)
{
    xc_domaininfo_t info;
    uint32_t first = 1;

    while (xc_domain_getinfolist(xc, first, 1, &info) == 1) {
        if (!(info.flags & XEN_DOMINF_dying)) {
            domid = info.domain;
            return true;
        }
        first = info.domain + 1;
    }
    return false;
}

/*
 * xl waits until XenStore names the console's terminal, as xenconsoled would
 * do.
 */
static void claim_console(void)
{
    char *terminal = console_value("tty"), path[64];

    if (terminal && !*terminal) {
        snprintf(path, sizeof(path), "/local/domain/%u/console/tty", domid);
        xs_write(store, XBT_NULL, path, "none", 4);
    }
    free(terminal);
}

/* The first error in xl's output; prints all of that to the console. */
static const char *xl_error(FILE *said)
{
    static char line[256];
    char error[sizeof(line)] = "it gave no reason";

    rewind(said);
    while (fgets(line, sizeof(line), said)) {
        fputs(line, stderr);
        line[strcspn(line, "\n")] = '\0';
        if (strstr(line, "error: ") && !strncmp(error, "it gave", 7)) {
            strcpy(error, line);
        }
    }
    return strcpy(line, error);
}

static void create(const char *configuration)
{
    FILE *said = tmpfile();
    pid_t child = fork(), ended;
    int status;

    if (child == 0) {
        dup2(fileno(said), STDOUT_FILENO);
        dup2(fileno(said), STDERR_FILENO);
        execlp("xl", "xl", "create", "-p", "-e", "-q", configuration, NULL);
        _exit(127);
    }
    while ((ended = waitpid(child, &status, WNOHANG)) == 0) {
        if (domid || find_domain()) {
            claim_console();
        }
        usleep(20000);
    }
    if (ended != child || status || !domid) {
        fail("xl: %s", xl_error(said));
    }
}

/*
 * Write the command line behind the start info, where libxl leaves room for
 * modules: an HVM guest without a BIOS has none.
 */
static void set_command_line(const char *command_line)
{
    HVM_SAVE_TYPE(CPU) cpu;
    struct hvm_start_info *info;
    size_t offset;

    if (xc_domain_hvm_getcontext_partial(xc, domid, HVM_SAVE_CODE(CPU), 0, &cpu,
                                         sizeof(cpu))) {
        fail("its first vCPU cannot be read: %s", strerror(errno));
    }
    info = map(cpu.rbx >> XC_PAGE_SHIFT);
    if (info->magic != XEN_HVM_START_MAGIC_VALUE || info->nr_modules) {
        fail("its start info is not as expected");
    }
    offset = sizeof(*info) + 2 * sizeof(struct hvm_modlist_entry);
    if (info->memmap_paddr - cpu.rbx < offset + strlen(command_line) + 1) {
        fail("its command line is too long");
    }
    strcpy((char *)info + offset, command_line);
    info->cmdline_paddr = cpu.rbx + offset;
    xenforeignmemory_unmap(memory, info, 1);
}

/* Print new output of the console; true if there was any. */
static bool read_console(volatile struct xencons_interface *ring)
{
    uint32_t consumer = ring->out_cons, producer = ring->out_prod;
    bool any = producer != consumer;

    xen_rmb();
    if (producer - consumer > sizeof(ring->out)) {
        consumer = producer; /* a hostile guest's */
    }
    for (; consumer != producer; consumer++) {
        putchar(ring->out[MASK_XENCONS_IDX(consumer, ring->out)]);
    }
    xen_mb();
    ring->out_cons = consumer;
    fflush(stdout);
    return any;
}

/* How the domain has ended; NULL as long as it runs.  Cancels a suspend. */
static const char *outcome(void)
{
    static const char *const names[] = {
        [SHUTDOWN_poweroff] = "poweroff",
        [SHUTDOWN_reboot] = "reboot",
        [SHUTDOWN_suspend] = "failed it could not be resumed",
        [SHUTDOWN_crash] = "crash",
        [SHUTDOWN_watchdog] = "failed its watchdog has barked",
        [SHUTDOWN_soft_reset] = "failed it wants to be reset",
    };
    xc_domaininfo_t info;
    unsigned int reason;

    if (xc_domain_getinfolist(xc, domid, 1, &info) != 1 ||
        info.domain != domid) {
        return "failed it is gone";
    }
    if (!(info.flags & (XEN_DOMINF_shutdown | XEN_DOMINF_dying))) {
        return NULL;
    }
    reason = (info.flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask;
    /* xenstored tells of the next shutdown only once it knows of this end. */
    if (reason == SHUTDOWN_suspend && xs_resume_domain(store, domid) &&
        !xc_domain_resume(xc, domid, 1)) {
        return NULL;
    }
    if (reason >= sizeof(names) / sizeof(names[0]) || !names[reason]) {
        return "failed it shut down for an unknown reason";
    }
    return names[reason];
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    volatile struct xencons_interface *ring;
    xenevtchn_handle *events;
    xenevtchn_port_or_error_t port;
    const char *end = NULL;
    struct pollfd polled[2];
    double deadline;

    if (argc != 4 && argc != 5) {
        fprintf(stderr,
                "usage: xen-domain ID SECONDS CONFIGURATION [COMMAND_LINE]\n");
        return 2;
    }
    id = argv[1];
    printf("xenkvm-guest: start %s\n", id);
    fflush(stdout);

    xc = xc_interface_open(NULL, NULL, 0);
    memory = xenforeignmemory_open(NULL, 0);
    events = xenevtchn_open(NULL, 0);
    store = xs_open(0);
    if (!xc || !memory || !events || !store) {
        fail("dom0 lacks a device of Xen's");
    }
    create(argv[3]);
    if (argc == 5) {
        set_command_line(argv[4]);
    }
    ring = map(console_number("ring-ref"));
    port = xenevtchn_bind_interdomain(events, domid, console_number("port"));
    if (port < 0) {
        fail("its console's channel cannot be bound: %s", strerror(errno));
    }
    /* XenStore fires this watch whenever a domain shuts down. */
    xs_watch(store, "@releaseDomain", "");

    deadline = now() + strtod(argv[2], NULL);
    if (xc_domain_unpause(xc, domid)) {
        fail("it cannot be unpaused: %s", strerror(errno));
    }
    polled[0] = (struct pollfd){ .fd = xenevtchn_fd(events), .events = POLLIN };
    polled[1] = (struct pollfd){ .fd = xs_fileno(store), .events = POLLIN };
    while (!end) {
        char **watch;

        /* A short time-out: the guest may have closed the console's channel. */
        poll(polled, 2, 100);
        if (polled[0].revents & POLLIN) {
            xenevtchn_port_or_error_t pending = xenevtchn_pending(events);

            if (pending >= 0) {
                xenevtchn_unmask(events, pending);
            }
        }
        if (polled[1].revents & POLLIN) {
            watch = xs_read_watch(store, &(unsigned int){ 0 });
            free(watch);
            end = outcome();
        }
        /* Read after outcome(), so that no output before the end is lost. */
        if (read_console(ring)) {
            xenevtchn_notify(events, port);
        }
        if (!end && now() > deadline) {
            end = "timeout";
        }
    }
    printf("\nxenkvm-guest: end %s %s\n", id, end);
    return 0;
}
