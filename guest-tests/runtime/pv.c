/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 64-bit PV guests: start_info and memory, upcalls, starting vCPUs. */

#include "internal.h"
#include "interrupt.h"

#define NR_EXCEPTIONS 32
#define VECTOR_NMI 2
#define VECTOR_UPCALL 256
#define VECTOR_FAILSAFE 257

#define MAX_SLEEP 10000000 /* nanoseconds */

#define PTE_PRESENT 0x01
#define PTE_WRITABLE 0x02
#define PTE_USER 0x04
#define FLAGS_IF 0x200

extern struct start_info *start_info;
extern const char image_start[];
extern char exception_stubs[NR_EXCEPTIONS][16];
extern const char event_callback[], failsafe_callback[];

struct start_info *start_info;

static struct trap_info traps[NR_EXCEPTIONS + 1]; /* the last one ends it */

/* The entry of @address in the guest's list of its frames. */
static xen_pfn_t *frame_at(const void *address)
{
    return (xen_pfn_t *)start_info->mfn_list +
           ((const char *)address - image_start) / PAGE_SIZE;
}

uint64_t gfn_of(const void *address)
{
    return *frame_at(address);
}

/* Map frame @mfn in place of one of the image's pages. */
static void *map_frame(uint64_t mfn)
{
    void *page = page_keep();

    if (hypercall(__HYPERVISOR_update_va_mapping, (unsigned long)page,
                  mfn * PAGE_SIZE | PTE_PRESENT | PTE_WRITABLE | PTE_USER,
                  UVMF_INVLPG, 0, 0)) {
        crash("cannot map frame 0x%lx", (unsigned long)mfn);
    }
    *frame_at(page) = mfn;
    return page;
}

void traps_init(void)
{
    unsigned int vector;

    for (vector = 0; vector < NR_EXCEPTIONS; vector++) {
        traps[vector] = (struct trap_info){
            .vector = vector,
            .flags = 4, /* upcalls disabled */
            .cs = FLAT_KERNEL_CS,
            .address = (unsigned long)exception_stubs[vector],
        };
    }
    hypercall(__HYPERVISOR_set_trap_table, (unsigned long)traps, 0, 0, 0, 0);
    hypercall(__HYPERVISOR_set_callbacks, (unsigned long)event_callback,
              (unsigned long)failsafe_callback, 0, 0, 0);
}

void arch_init(void)
{
    command_line = (const char *)start_info->cmd_line;
    shared_info = map_frame(start_info->shared_info / PAGE_SIZE);
    traps_init();
    /* Xen starts every PV vCPU with a timer at 100 Hz. */
    timer_periodic(0, 0);
}

struct xencons_interface *arch_console(evtchn_port_t *port)
{
    *port = start_info->console.domU.evtchn;
    return map_frame(start_info->console.domU.mfn);
}

struct xenstore_domain_interface *arch_xenstore(evtchn_port_t *port)
{
    *port = start_info->store_evtchn;
    return map_frame(start_info->store_mfn);
}

grant_entry_v1_t *arch_grant_table(void)
{
    xen_pfn_t frame;
    struct gnttab_setup_table setup = { .dom = DOMID_SELF, .nr_frames = 1 };

    set_xen_guest_handle(setup.frame_list, &frame);
    if (HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1) ||
        setup.status != GNTST_okay) {
        crash("no grant table");
    }
    return map_frame(frame);
}

/* Upcalls ---------------------------------------------------------------------- */

void (*volatile exception_hook)(struct interrupt_frame *frame);

void interrupt(struct interrupt_frame *frame)
{
    switch (frame->vector) {
    case VECTOR_UPCALL:
        evtchn_upcall();
        break;
    case VECTOR_NMI: /* a kick */
        break;
    default:
        if (exception_hook) {
            exception_hook(frame);
        }
        crash("vCPU %u: %s %u, error 0x%lx at 0x%lx", this_vcpu(),
              frame->vector == VECTOR_FAILSAFE ? "failsafe callback" :
                                                 "exception",
              (unsigned int)frame->vector, (unsigned long)frame->error,
              (unsigned long)frame->ip);
    }
}

static uint8_t *upcall_mask(void)
{
    return &vcpu_info_of(this_vcpu())->evtchn_upcall_mask;
}

void upcalls_disable(void)
{
    __atomic_store_n(upcall_mask(), 1, __ATOMIC_SEQ_CST);
}

/* Xen delivers a pending upcall when it returns to the guest: call it. */
void upcalls_enable(void)
{
    __atomic_store_n(upcall_mask(), 0, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&vcpu_info_of(this_vcpu())->evtchn_upcall_pending,
                        __ATOMIC_SEQ_CST)) {
        HYPERVISOR_xen_version(XENVER_version, NULL);
    }
}

bool upcalls_enabled(void)
{
    return !__atomic_load_n(upcall_mask(), __ATOMIC_SEQ_CST);
}

int upcall_set_method(enum upcall_method method)
{
    return -XEN_EOPNOTSUPP;
}

/* Other vCPUs -------------------------------------------------------------------- */

void vcpu_context(unsigned int vcpu, struct vcpu_guest_context *context)
{
    memset(context, 0, sizeof(*context));
    memcpy(context->trap_ctxt, traps, sizeof(traps));
    context->flags = VGCF_in_kernel;
    context->user_regs.cs = FLAT_KERNEL_CS;
    context->user_regs.ss = FLAT_KERNEL_SS;
    context->user_regs.rflags = FLAGS_IF;
    context->user_regs.rip = (unsigned long)vcpu_main;
    context->user_regs.rdi = vcpu;
    context->kernel_ss = FLAT_KERNEL_SS;
    /* As after a call instruction: 8 bytes below an aligned address. */
    context->kernel_sp = (unsigned long)stacks[vcpu + 1] - 8;
    context->user_regs.rsp = context->kernel_sp;
    context->ctrlreg[3] = xen_pfn_to_cr3(gfn_of((void *)start_info->pt_base));
    context->event_callback_eip = (unsigned long)event_callback;
    context->failsafe_callback_eip = (unsigned long)failsafe_callback;
}

void arch_vcpus_start(void)
{
    static struct vcpu_guest_context context;
    unsigned int vcpu;

    for (vcpu = 1; vcpu < nr_vcpus; vcpu++) {
        vcpu_context(vcpu, &context);
        timer_periodic(vcpu, 0);
        if (HYPERVISOR_vcpu_op(VCPUOP_initialise, vcpu, &context) ||
            HYPERVISOR_vcpu_op(VCPUOP_up, vcpu, NULL)) {
            crash("vCPU %u cannot be started", vcpu);
        }
    }
}

/*
 * A kick is an NMI, not an event, so that the runtime needs no event channel,
 * which a reset would close.  But Xen does not look for NMIs when a vCPU goes
 * to sleep: one that comes just then does not wake the vCPU, nor do those after
 * it.  Hence the deadline.
 */
void arch_vcpu_idle(unsigned int vcpu, void *const volatile *busy)
{
    if (!*busy) {
        sched_poll(NULL, 0, system_time() + MAX_SLEEP);
    }
}

void arch_vcpu_kick(unsigned int vcpu)
{
    HYPERVISOR_vcpu_op(VCPUOP_send_nmi, vcpu, NULL);
}
