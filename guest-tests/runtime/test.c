/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the tests that the command line names and prints TAP. */

#include "internal.h"

extern const struct guest_test tests_begin[], tests_end[];

static unsigned int nr_checks, nr_failed;
static const char *skipped, *row;
static void *end_of_test[5];

bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);

    while (*words) {
        if (!memcmp(words, word, length) &&
            (words[length] == ' ' || words[length] == '\0')) {
            return true;
        }
        while (*words && *words != ' ') {
            words++;
        }
        while (*words == ' ') {
            words++;
        }
    }
    return false;
}

const char *command_line_value(const char *name)
{
    const char *at = command_line;
    size_t length = strlen(name);

    for (; *at; at++) {
        if ((at == command_line || at[-1] == ' ') &&
            !memcmp(at, name, length) && at[length] == '=') {
            return at + length + 1;
        }
    }
    return NULL;
}

uint64_t command_line_number(const char *name, uint64_t otherwise)
{
    const char *at = command_line_value(name);
    uint64_t number = 0;

    if (!at) {
        return otherwise;
    }
    for (; *at >= '0' && *at <= '9'; at++) {
        number = number * 10 + (*at - '0');
    }
    return number;
}

void test_row(const char *name)
{
    row = name;
}

bool test_check(bool ok, const char *file, int line, const char *what)
{
    __atomic_fetch_add(&nr_checks, 1, __ATOMIC_RELAXED);
    if (!ok && __atomic_fetch_add(&nr_failed, 1, __ATOMIC_RELAXED) < 20) {
        print("# %s:%d: %s%snot so: %s\n", file, line, row ? row : "",
              row ? ": " : "", what);
    }
    return ok;
}

bool test_check_equal(int64_t value, int64_t expected, const char *file,
                      int line, const char *what)
{
    __atomic_fetch_add(&nr_checks, 1, __ATOMIC_RELAXED);
    if (value != expected &&
        __atomic_fetch_add(&nr_failed, 1, __ATOMIC_RELAXED) < 20) {
        print("# %s:%d: %s%s%s is %lld, not %lld\n", file, line, row ? row : "",
              row ? ": " : "", what, (long long)value, (long long)expected);
    }
    return value == expected;
}

void test_end(void)
{
    if (this_vcpu() != 0) {
        crash("a test ends on vCPU %u", this_vcpu());
    }
    __builtin_longjmp(end_of_test, 1);
}

void test_skip(const char *why)
{
    skipped = why;
    test_end();
}

void test_note(const char *format, ...)
{
    va_list list;

    print("# ");
    va_start(list, format);
    print_list(format, list);
    va_end(list);
    print("\n");
}

/* The number after "@word=" in @words, or 0. */
static unsigned int number_in(const char *words, const char *word)
{
    size_t length = strlen(word);
    unsigned int number = 0;

    for (; *words; words++) {
        if (!memcmp(words, word, length) && words[length] == '=') {
            words += length + 1;
            for (; *words >= '0' && *words <= '9'; words++) {
                number = number * 10 + (*words - '0');
            }
            return number;
        }
    }
    return 0;
}

static bool has_any_word(const char *words, const char *const *group)
{
    for (; *group; group++) {
        if (has_word(words, *group)) {
            return true;
        }
    }
    return false;
}

/* If @needs has none of the group's words, all of them fit. */
static bool fits(const char *needs, const char *const *group, const char *is)
{
    return !has_any_word(needs, group) || has_word(needs, is);
}

/* Xen's PV shim stands between a PV guest and QEMU. */
static bool has_shim(void)
{
    return has_word("pv64", guest_type) && !host_is_xen();
}

/*
 * KVM_XEN answers SCHEDOP_poll itself, but not a PV guest's: that is Xen's
 * shim.
 */
bool polls_are_the_kernels(void)
{
    const char *host = command_line_value("host");

    return host && !has_word("pv64", guest_type) &&
           (!memcmp(host, "lab", 3) || !memcmp(host, "kvm", 3));
}

static const char *const abis[] = { "2l", "3l", "fifo", NULL };

static bool is_fit(const struct guest_test *test, enum evtchn_abi abi)
{
    static const char *const kinds[] = { "hvm", "pvh", "pv", NULL };
    static const char *const bits[] = { "32", "64", NULL };
    static const char *const hosts[] = { "xen", "tcg", "lab", "kvm", NULL };
    char kind[4] = { 0 };
    char host[4] = { 0 };

    if (command_line_value("host")) {
        memcpy(host, command_line_value("host"), 3);
    }
    memcpy(kind, guest_type, strlen(guest_type) - 2);
    return fits(test->needs, abis, abi_name(abi)) &&
           fits(test->needs, kinds, kind) &&
           fits(test->needs, bits, guest_type + strlen(guest_type) - 2) &&
           (!host[0] || fits(test->needs, hosts, host)) &&
           number_in(test->needs, "vcpus") <= nr_vcpus &&
           !(has_shim() && (has_word(test->needs, "noshim") ||
                            has_word(test->needs, "fresh"))) &&
           !(polls_are_the_kernels() &&
             has_word(test->needs, abi == ABI_2L ? "nokernel" : "polls")) &&
           !has_word(test->needs, "alone");
}

/* Whether the list's entry, up to the next comma or blank, is @name. */
static bool names(const char *list, const char *name)
{
    size_t length = strlen(name);

    while (*list && *list != ' ') {
        if (!memcmp(list, name, length) &&
            (list[length] == ',' || list[length] == ' ' || !list[length])) {
            return true;
        }
        while (*list && *list != ' ' && *list++ != ',') {
        }
    }
    return false;
}

enum evtchn_abi abi_asked_for(void)
{
    const char *name = command_line_value("abi");
    enum evtchn_abi abi;

    for (abi = ABI_2L; name && !names(name, abi_name(abi)); abi++) {
        if (abi == ABI_FIFO) {
            crash("abi= is 2l, 3l or fifo");
        }
    }
    return abi;
}

/*
 * Xen raises an event that came before its port's event word again each time
 * the guest returns to FIFO.  The test that binds this port next must not get
 * it.
 */
static void forget_events_of_closed_ports(void)
{
    struct evtchn_status status;
    evtchn_port_t port;

    for (port = 1; port < abi_backed_ports(); port++) {
        if (port_is_pending(port) &&
            evtchn_status(DOMID_SELF, port, &status) == 0 &&
            status.status == EVTCHNSTAT_closed) {
            port_clear_pending(port);
        }
    }
}

/* Bring the guest to the state that a test expects: @abi, and no old events. */
static void take_abi(enum evtchn_abi abi, bool reset)
{
    int error = reset ? guest_reset() : 0;

    if (!error && guest_abi != abi) {
        error = abi_switch(abi);
    }
    if (error) {
        print("Bail out! this host has no %s event channels (%d)\n",
              abi_name(abi), error);
        console_flush();
        shutdown(SHUTDOWN_poweroff);
    }
    if (abi == ABI_FIFO) {
        forget_events_of_closed_ports();
    }
}

/* True unless the test has failed. */
static bool run_test(const struct guest_test *test, unsigned int number,
                     enum evtchn_abi abi)
{
    bool fresh = has_word(test->needs, "fresh");

    if (fresh) {
        take_abi(has_any_word(test->needs, abis) ? ABI_2L : abi, true);
    }
    nr_checks = nr_failed = 0;
    skipped = row = NULL;
    memory_mark();
    if (!__builtin_setjmp(end_of_test)) {
        test->run();
    }
    if (console_is_lost()) {
        return !nr_failed;
    }
    evtchn_test_cleanup();
    if (fresh) {
        take_abi(abi, true);
    }
    memory_release();
    if (nr_failed || (!nr_checks && !skipped)) {
        print("not ok %u - %s # %u of %u checks failed\n", number, test->name,
              nr_failed, nr_checks);
    } else if (skipped) {
        print("ok %u - %s # SKIP %s\n", number, test->name, skipped);
    } else {
        print("ok %u - %s # %u checks\n", number, test->name, nr_checks);
    }
    return !nr_failed;
}

void run_tests(void)
{
    const char *asked = command_line_value("test");
    const struct guest_test *test;
    unsigned int nr = 0, failed = 0, number = 0;
    enum evtchn_abi abi = abi_asked_for();

    for (test = tests_begin; test < tests_end; test++) {
        nr += asked ? names(asked, test->name) : is_fit(test, abi);
    }
    print("TAP version 14\n1..%u\n", nr);
    print("# %s, %u vCPU%s, %s event channels, on %s\n", guest_type, nr_vcpus,
          nr_vcpus > 1 ? "s" : "", abi_name(abi),
          host_is_xen() ? "Xen" : "QEMU");

    evtchn_tests_begin();
    upcalls_enable();
    /* A test that is alone in its guest switches the ABI itself. */
    if (!asked || nr != 1 || !has_word(command_line, "alone")) {
        take_abi(abi, false);
    }
    for (test = tests_begin; test < tests_end; test++) {
        if (asked ? names(asked, test->name) : is_fit(test, abi)) {
            failed += !run_test(test, ++number, abi);
        }
    }
    if (!console_is_lost()) {
        print("# %u of %u failed\n", failed, nr);
        console_flush();
        shutdown(SHUTDOWN_poweroff);
    }
    /* If the console is lost, only the way the guest ends shows the verdict. */
    shutdown(failed ? SHUTDOWN_crash : SHUTDOWN_poweroff);
}
