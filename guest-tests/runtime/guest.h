/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions with which guest tests are written.
 *
 * A test is a function that runs on vCPU 0 with upcalls enabled, in a guest of
 * any type.  The runtime switches to the event-channel ABI before the test
 * starts, and closes the ports that it leaves open.
 *
 *     TEST(send_is_delivered, "")
 *     {
 *         evtchn_port_t port = must_bind_ipi(0);
 *
 *         check_equal(evtchn_send(port), 0);
 *         check(wait_for(received(port) == 1, 1000));
 *     }
 */

#ifndef GUEST_TESTS_GUEST_H
#define GUEST_TESTS_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/arch-x86/cpuid.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

#include "hypercall.h"

#define PAGE_SIZE 4096
#define MAX_VCPUS 32 /* vcpu_info of more is not in shared_info */
#define WORD_BITS (sizeof(xen_ulong_t) * 8)

/* Tests -------------------------------------------------------------------- */

struct guest_test {
    const char *name;
    const char *needs;
    void (*run)(void);
};

/*
 * TEST(name, needs): @needs are words that say where the test runs.  With none
 * of the words of a line, it runs with each of them.
 *
 *   2l 3l fifo         the ABI that the guest has taken
 *   hvm pvh pv         the type of guest
 *   32 64              its word size
 *   vcpus=N            the vCPUs it needs, 1 if not given
 *   tcg lab kvm xen    the host
 *   alone              must be the first and the last in its guest: it begins in
 *                      2-level (the ABI is the test's to choose), or leaves the
 *                      guest unfit for others; it is run once, as of the ABI
 *                      that it names, or as of 2l
 *   fresh              the guest is reset before it and after it, and begins in
 *                      the ABI that is asked for; but if the words name ABIs it
 *                      begins in 2-level, and the ABI is the test's to choose
 *   noshim             not in a PV guest in Xen's shim on QEMU, which
 *                      returns errors of its own; nor can it reset ("fresh")
 *   nokernel           not in 2-level on KVM, where the host's kernel delivers
 *                      events and runs timers in its own way
 *   polls              SCHEDOP_poll has to sleep or to look at its argument: on
 *                      KVM in 2-level only, as in the other ABIs the host's
 *                      kernel makes it a yield; with "nokernel", nowhere on KVM
 *   silent             it loses the console: it has passed if the guest then
 *                      powers off
 *   seconds=N          how long it may take, 10 if not given
 *   nics=N             it needs N of them, on one wire
 *   disks=N            it needs N of them; on QEMU only
 *   consoles=N         the same, in addition to the console of each guest
 *   4k                 with "alone": the disks' logical blocks have 4,096 bytes
 *   data               with "alone": the disks, of 2 MiB, keep what is written to
 *                      them; others keep nothing, and have 1 MiB
 *   slow               with "alone": a request takes the disks a second
 *   emulated           with "alone": an IDE disk, made by -blockdev, a SCSI
 *                      controller and a NIC, and the same of virtio; on QEMU only
 *   twin               with "alone": an IDE disk of 1 MiB that is also the Xen disk
 *   unstarted          with "alone": vCPUs but 0 are the test's to initialise; in
 *                      a PV guest only
 *   offered=ABIS       with "alone": the ABIs that QEMU offers besides 2-level, as
 *                      -machine xen-evtchn-abi= has them, 3l+fifo if not given;
 *                      on QEMU only
 *
 * The words are kept in the image for scripts/guest-tests to read.
 */
#define TEST(test_name, test_needs)                                           \
    static void test_##test_name(void);                                       \
    static const struct guest_test entry_##test_name                          \
        __attribute__((section(".tests"), used, aligned(sizeof(void *)))) = { \
            #test_name, test_needs, test_##test_name                          \
        };                                                                    \
    static const char listed_##test_name[]                                    \
        __attribute__((section(".test_list"), used, aligned(1))) =            \
            #test_name "|" test_needs "\n";                                   \
    static void test_##test_name(void)

/*
 * If these fail, they print the file, the line and the values, and the test
 * goes on and counts as failed.  On any vCPU.
 */
#define check(condition) test_check((condition), __FILE__, __LINE__, #condition)
#define check_equal(value, expected)                                  \
    test_check_equal((int64_t)(value), (int64_t)(expected), __FILE__, \
                     __LINE__, #value)

/* On vCPU 0 only: ends the test when it fails. */
#define require(condition)       \
    do {                         \
        if (!check(condition)) { \
            test_end();          \
        }                        \
    } while (0)

/*
 * A row of a table: failures print its name, from here until the next row or
 * the end of the test.
 */
void test_row(const char *name);

bool test_check(bool ok, const char *file, int line, const char *what);
bool test_check_equal(int64_t value, int64_t expected, const char *file,
                      int line, const char *what);
/* Ends the test on vCPU 0, now. */
void test_end(void) __attribute__((noreturn));
/* End the test as skipped, unless something has failed. */
void test_skip(const char *why) __attribute__((noreturn));
/* No output from here on: the console's page or port is gone; see "silent". */
void console_lost(void);
/* A line of diagnosis, which also keeps figures for scripts to find. */
void test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The value of word "@name=" on the command line, or NULL. */
const char *command_line_value(const char *name);
/* The same as a number, or @otherwise. */
uint64_t command_line_number(const char *name, uint64_t otherwise);
/* Whether @words has @word as one of its words. */
bool has_word(const char *words, const char *word);

/* The guest ---------------------------------------------------------------- */

enum evtchn_abi { ABI_2L, ABI_3L, ABI_FIFO };

extern const char guest_type[]; /* "hvm64", ... */
extern enum evtchn_abi guest_abi; /* the one in use */
extern unsigned int nr_vcpus;
extern struct shared_info *shared_info;
#ifdef GUEST_HVM
extern uint64_t acpi_root; /* a PVH guest's RSDP, 0 without one */
#endif

/* True on real Xen: the command line has host=xen. */
bool host_is_xen(void);

struct cpuid {
    uint32_t a, b, c, d;
};
/* One of Xen's leaves, from 0; HVM and PVH guests only. */
struct cpuid xen_cpuid(uint32_t leaf, uint32_t subleaf);

unsigned int this_vcpu(void);
struct vcpu_info *vcpu_info_of(unsigned int vcpu);
/* VCPUOP_register_vcpu_info has moved it, until the guest's end. */
void vcpu_info_is_at(unsigned int vcpu, struct vcpu_info *info);

/*
 * Run @function on @vcpu, which is not the caller's and not busy; returns at
 * once.  Upcalls are enabled there, too.
 */
void vcpu_start(unsigned int vcpu, void (*function)(void *), void *opaque);
/* Wait until @vcpu's function has returned; false after @milliseconds. */
bool vcpu_join(unsigned int vcpu, unsigned int milliseconds);
/* Where a vCPU ends up, on its own stack: it runs functions from then on. */
void vcpu_main(unsigned int vcpu) __attribute__((noreturn));
#ifdef GUEST_PV
/* What VCPUOP_initialise takes for @vcpu to begin in vcpu_main(). */
void vcpu_context(unsigned int vcpu, struct vcpu_guest_context *context);
#endif

/* Upcalls on this vCPU; enabling them takes an upcall that is pending. */
void upcalls_disable(void);
void upcalls_enable(void);
bool upcalls_enabled(void);

/* How upcalls reach HVM guests; a PV guest has one way. */
enum upcall_method {
    UPCALL_VECTOR, /* HVM_PARAM_CALLBACK_IRQ, one vector for all */
    /*
     * HVMOP_set_evtchn_upcall_vector, by the LAPIC.  It cannot be undone in
     * Xen, and a PVH guest keeps UPCALL_VECTOR as well.
     */
    UPCALL_VCPU_VECTOR,
    UPCALL_GSI, /* by the I/O APIC, to vCPU 0 only */
    UPCALL_PCI_INTX, /* the same, by the Xen platform device's interrupt */
    UPCALL_NONE,
    UPCALL_METHODS,
};
/*
 * Set @method on all vCPUs.  0 or -errno of the hypercall.  After each test
 * the runtime sets UPCALL_VECTOR again.
 */
int upcall_set_method(enum upcall_method method);
/* Interrupts that came by @method since the guest began. */
unsigned int upcalls_by(enum upcall_method method);

/* For spin loops. */
static inline void cpu_relax(void)
{
    __builtin_ia32_pause();
}

/* Memory ------------------------------------------------------------------- */

/* @nr zeroed adjacent pages; the runtime frees them after the test. */
void *page_alloc(unsigned int nr);
/* XENMEM_add_to_physmap: page @index of @space, XENMAPSPACE_*, to @gfn. */
int map_page(unsigned int space, uint64_t index, uint64_t gfn);
/* The frame number to name to Xen: an MFN in a PV guest. */
uint64_t gfn_of(const void *address);

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *one, const void *other, size_t size);
size_t strlen(const char *string);

/* Time --------------------------------------------------------------------- */

/* Xen's system time in nanoseconds, from this vCPU's time area. */
uint64_t system_time(void);
/* The same by another time area, or a copy of one. */
uint64_t time_by(const struct vcpu_time_info *area);

/*
 * Spin until @condition or for @milliseconds; the condition's last value.
 * Upcalls come meanwhile if they are enabled.
 */
#define wait_for(condition, milliseconds)                                \
    ({                                                                   \
        uint64_t wait_until = system_time() + (milliseconds)*1000000ull; \
        bool met;                                                        \
        while (!(met = !!(condition)) && system_time() < wait_until) {   \
            cpu_relax();                                                 \
        }                                                                \
        met || (condition);                                              \
    })
void spin_for(unsigned int milliseconds);

/* VIRQ_TIMER once, at or after @when; @flags are VCPU_SSHOTTMR_*. */
int timer_singleshot(unsigned int vcpu, uint64_t when, uint32_t flags);
int timer_stop_singleshot(unsigned int vcpu);
/* Every @period nanoseconds; 0 stops it. */
int timer_periodic(unsigned int vcpu, uint64_t period);

/* Event channels: the hypercalls -------------------------------------------- */

/* Each returns 0 or -errno; those that allocate a port store it at @port. */
int evtchn_alloc_unbound(domid_t dom, domid_t remote, evtchn_port_t *port);
int evtchn_bind_interdomain(domid_t remote, evtchn_port_t remote_port,
                            evtchn_port_t *port);
int evtchn_bind_ipi(unsigned int vcpu, evtchn_port_t *port);
int evtchn_bind_virq(unsigned int virq, unsigned int vcpu, evtchn_port_t *port);
int evtchn_close(evtchn_port_t port);
int evtchn_send(evtchn_port_t port);
int evtchn_status(domid_t dom, evtchn_port_t port,
                  struct evtchn_status *status);
int evtchn_bind_vcpu(evtchn_port_t port, unsigned int vcpu);
int evtchn_unmask(evtchn_port_t port);
int evtchn_reset(domid_t dom);
int evtchn_init_control(uint64_t gfn, uint32_t offset, uint32_t vcpu);
int evtchn_expand_array(uint64_t gfn);
int evtchn_set_priority(evtchn_port_t port, uint32_t priority);

/*
 * EVTCHNOP_reset, and then bring the guest to its initial state: in 2-level,
 * all ports masked, only the console and XenStore bound.  0 or -errno.
 */
int guest_reset(void);

/*
 * SHUTDOWN_soft_reset, with which a crash kernel begins, and then what the runtime
 * needs.  Ends the test when it fails; the ABI is the caller's to forget.
 */
void soft_reset(void);

/* These end the test when they fail.  Loopback ports are a pair, 0 and 1. */
evtchn_port_t must_bind_ipi(unsigned int vcpu);
evtchn_port_t must_bind_virq(unsigned int virq, unsigned int vcpu);
evtchn_port_t must_alloc_unbound(void); /* for this domain itself */
void must_bind_loopback(evtchn_port_t port[2]);

/* Wait for events in SCHEDOP_poll; @deadline 0 is for ever.  0 or -errno. */
int sched_poll(const evtchn_port_t *ports, unsigned int nr, uint64_t deadline);
/* Whether KVM's kernel answers SCHEDOP_poll: see "polls" and "nokernel". */
bool polls_are_the_kernels(void);
/* SCHEDOP_block: returns once an event is pending, with upcalls enabled. */
void sched_block(void);
void sched_yield(void);

/* Event channels: the guest's side, in the ABI in use ---------------------- */

bool port_is_pending(evtchn_port_t port);
bool port_is_masked(evtchn_port_t port);
/* The guest's own writes, atomic. */
void port_set_pending(evtchn_port_t port);
void port_clear_pending(evtchn_port_t port);
void port_mask(evtchn_port_t port);
/*
 * Clear the mask bit as the ABI lets a guest do; on FIFO not while BUSY is set.
 * True if the event is pending now, so that a kernel must call EVTCHNOP_unmask.
 */
bool port_clear_mask(evtchn_port_t port);
/* As a kernel unmasks: the above, and the hypercall when it is pending. */
void port_unmask(evtchn_port_t port);
/* Ports the ABI has, port 0 included. */
unsigned int abi_nr_ports(void);
/* Ports that have memory; in FIFO a test adds some, by abi_grow() or itself. */
unsigned int abi_backed_ports(void);
/* Call expand_array until there is memory for @nr ports.  0 or -errno. */
int abi_grow(unsigned int nr);
/* The ABI that abi= on the command line names, as abi_name() does; or 2-level. */
enum evtchn_abi abi_asked_for(void);
const char *abi_name(enum evtchn_abi abi);
/* Switch the guest from 2-level to @abi, all vCPUs.  0 or -errno. */
int abi_switch(enum evtchn_abi abi);
/* Undo the guest's side of abi_switch(), after EVTCHNOP_reset. */
void abi_forget(void);

/*
 * The number of events that the upcall handler has taken from @port since the
 * test began.  It clears an event's pending bit, counts it, and calls
 * @event_hook if it is set, with the vCPU's upcalls disabled.
 */
unsigned int received(evtchn_port_t port);
void received_clear(evtchn_port_t port);
unsigned int received_in_all(void);
/* The vCPU that took @port last; -1 if none has. */
int received_on(evtchn_port_t port);
extern void (*volatile event_hook)(evtchn_port_t port);
/* Upcalls that @vcpu has got, with events or without. */
unsigned int upcalls_of(unsigned int vcpu);

/* The last events in the order they were taken, by all vCPUs. */
#define EVENT_LOG_SIZE 4096
struct event_log_entry {
    evtchn_port_t port;
    unsigned int vcpu;
};
/* Events logged since the test began; entry I is event_log[I % its size]. */
extern volatile unsigned int event_log_length;
extern struct event_log_entry event_log[EVENT_LOG_SIZE];

/* Take all events that are pending on this vCPU, as an upcall does. */
unsigned int consume_events(void);

#endif /* GUEST_TESTS_GUEST_H */
