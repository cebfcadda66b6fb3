/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the runtime's files share, and what each type of guest implements. */

#ifndef GUEST_TESTS_INTERNAL_H
#define GUEST_TESTS_INTERNAL_H

#include "guest.h"
#include <stdarg.h>
#include <xen/grant_table.h>
#include <xen/io/console.h>

/* A vCPU's stack is aligned to its size, so %rsp tells which vCPU it is. */
#define STACK_SIZE 16384

extern char stacks[MAX_VCPUS][STACK_SIZE];
extern const char *command_line;

/* A type of guest: hvm.c or pv.c -------------------------------------------- */

/* The command line, hypercalls, shared_info, interrupts of vCPU 0. */
void arch_init(void);
/* What an HVM guest's arch_init() does where there is no Xen; an image may have its own. */
void without_xen(void);
/* Where the console is; after arch_init(). */
struct xencons_interface *arch_console(evtchn_port_t *port);
struct xenstore_domain_interface *arch_xenstore(evtchn_port_t *port);
/* The first page of the grant table, version 1. */
grant_entry_v1_t *arch_grant_table(void);
/* Start all vCPUs but 0; each calls vcpu_main() on its stack. */
void arch_vcpus_start(void);
/* Sleep until arch_vcpu_kick() or an interrupt, unless *@busy is set. */
void arch_vcpu_idle(unsigned int vcpu, void *const volatile *busy);
void arch_vcpu_kick(unsigned int vcpu);

/* Of PV guests: this vCPU's handlers. */
void traps_init(void);

/* Shared parts --------------------------------------------------------------- */

void console_init(void);
bool console_is_lost(void);
void console_write(const char *text, size_t length);
void console_flush(void);
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_list(const char *format, va_list list);

void memory_mark(void);
void memory_release(void); /* what page_alloc() gave since the mark */
void *page_keep(void); /* a zeroed page that is never released */

void vcpus_init(void);

/* The upcall, on any vCPU, upcalls disabled. */
void evtchn_upcall(void);
/* The same, but count it as an upcall only if it takes an event. */
void evtchn_upcall_or_kick(void);
extern unsigned int upcall_counts[UPCALL_METHODS];
void evtchn_count(evtchn_port_t port);
/*
 * Whether this vCPU is to take @port's events: @port is bound to this vCPU, or
 * has been moved, so that Xen may still signal its last events to the old vCPU.
 */
bool evtchn_is_taken_here(evtchn_port_t port);
void evtchn_tests_begin(void); /* the ports open now are the runtime's */
void evtchn_test_cleanup(void);

/* An ABI's consumer and its bits; the public port_*() choose one. */
struct evtchn_abi_ops {
    const char *name;
    bool (*is_pending)(evtchn_port_t port);
    bool (*is_masked)(evtchn_port_t port);
    void (*set_pending)(evtchn_port_t port);
    void (*clear_pending)(evtchn_port_t port);
    void (*mask)(evtchn_port_t port);
    bool (*clear_mask)(evtchn_port_t port);
    /* Take once the events that the vCPU's selector or queues name. */
    unsigned int (*scan)(unsigned int vcpu);
    unsigned int (*nr_ports)(void);
    unsigned int (*backed_ports)(void);
    int (*grow)(unsigned int nr);
    int (*init)(void);
    void (*forget)(void);
};
extern const struct evtchn_abi_ops evtchn_2l_ops, evtchn_3l_ops;
extern const struct evtchn_abi_ops evtchn_fifo_ops;

void shutdown(unsigned int reason) __attribute__((noreturn));
void crash(const char *format, ...)
    __attribute__((noreturn, format(printf, 1, 2)));
void run_tests(void) __attribute__((noreturn));

#endif /* GUEST_TESTS_INTERNAL_H */
