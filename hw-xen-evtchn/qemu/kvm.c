/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's KVM_XEN does for a guest's event channels.
 *
 * KVM knows 2-level only.  With KVM_XEN_HVM_CONFIG_EVTCHN_SEND it delivers
 * events by itself: IPIs, singleshot timers and irqfds straight into the
 * guest's bits, guest to back end by eventfd; and it serves SCHEDOP_poll by
 * looking at those bits.
 *
 * The rule: at any time one of the two, the kernel or the model, delivers to
 * the guest.  Before a guest becomes FIFO or 3-level everything in the kernel
 * that writes or waits for 2-level bits is stopped (begin_switch), and only
 * after a reset has made it 2-level again is it started (reclaim).  The
 * eventfds stay: they touch nothing of the guest's.
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "system/kvm.h"
#include "system/kvm_xen.h"
#include "target/i386/cpu.h"
#include "target/i386/kvm/kvm_i386.h"
#include <linux/kvm.h>

#include "hw/xen/interface/xen.h"
#include "hw/xen/interface/event_channel.h"
#include "hw/xen-accel/xen_accel.h"

#include "internal.h"

enum {
    KVM_PORT_NONE,
    KVM_PORT_IPI,           /* what: the vCPU */
    KVM_PORT_BACKEND,       /* what: domain 0's port */
    KVM_PORT_VIRQ,          /* what: vCPU << 8 | VIRQ */
};

struct XenEvtchnKvmPort {
    uint32_t what;
    uint8_t kind;
    bool assigned;          /* the kernel serves sends on this port */
};

/* Timers ------------------------------------------------------------------ */

/* Move the vCPU's singleshot timer from KVM to QEMU.  vCPU's thread. */
static int take_timer(CPUState *cs)
{
    CPUX86State *env = &X86_CPU(cs)->env;
    struct kvm_xen_vcpu_attr attr = { .type = KVM_XEN_VCPU_ATTR_TYPE_TIMER };
    uint64_t expires;
    int ret;

    QEMU_LOCK_GUARD(&env->xen_timers_lock);
    ret = kvm_vcpu_ioctl(cs, KVM_XEN_VCPU_GET_ATTR, &attr);
    if (ret || !attr.u.timer.port) {
        return ret;
    }
    expires = attr.u.timer.expires_ns;
    ret = xen_accel->set_vcpu_timer(cs, 0, 0);
    if (ret) {
        return ret;
    }
    env->xen_singleshot_timer_ns = expires;
    if (expires) {
        timer_mod_ns(env->xen_singleshot_timer,
                     qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                     (int64_t)(expires - xen_accel->get_system_time()));
    }
    return 0;
}

/*
 * Move it from QEMU to KVM, which runs a timer only if it has a port to raise.
 * QEMU's is deleted, or it would fire as well.
 */
static void give_timer(CPUState *cs)
{
    CPUX86State *env = &X86_CPU(cs)->env;
    uint16_t port = env->xen_virq[VIRQ_TIMER];

    QEMU_LOCK_GUARD(&env->xen_timers_lock);
    if (port &&
        !xen_accel->set_vcpu_timer(cs, port, env->xen_singleshot_timer_ns)) {
        timer_del(env->xen_singleshot_timer);
        env->xen_singleshot_timer_ns = 0;
    }
}

/*
 * KVM runs it if the guest has bound VIRQ_TIMER, and QEMU if not: as in Xen it goes
 * on when the port is closed, while KVM would stop it.
 */
static void move_timer(CPUState *cs)
{
    take_timer(cs);
    give_timer(cs);
}

static void move_timer_work(CPUState *cs, run_on_cpu_data data)
{
    if (kvm_xen_has_cap(EVTCHN_SEND)) {
        move_timer(cs);
    }
}

/*
 * @vcpu's @virq is bound to @port, or to none (0): noted in the vCPU's own state,
 * which is migrated with it, and for VIRQ_TIMER in KVM.
 */
static void set_virq(XenEvtchnState *s, uint32_t vcpu, uint32_t virq,
                     uint32_t port)
{
    CPUState *cs = xen_evtchn_get_cpu(vcpu);

    if (!cs) {
        return;
    }
    if (virq == VIRQ_TIMER && s->kvm_evtchn) {
        X86_CPU(cs)->env.xen_virq[virq] = port;
        async_run_on_cpu(cs, move_timer_work, RUN_ON_CPU_NULL);
    } else {
        kvm_xen_set_vcpu_virq(vcpu, virq, port);
    }
    xen_evtchn_put_cpu(vcpu);
}

static void stop_timer_work(CPUState *cs, run_on_cpu_data data)
{
    CPUX86State *env = &X86_CPU(cs)->env;

    QEMU_LOCK_GUARD(&env->xen_timers_lock);
    timer_del(env->xen_singleshot_timer);
    env->xen_singleshot_timer_ns = 0;
}

/*
 * The reset has closed all VIRQ_TIMERs, so all timers are in QEMU, or will be when
 * the vCPUs have done the work that is queued for them before this.
 */
void xen_evtchn_kvm_stop_timers(XenEvtchnState *s)
{
    uint32_t i;

    for (i = 0; s->kvm_evtchn && i < s->nr_cpus; i++) {
        CPUState *cs = xen_evtchn_cpu(i);

        if (cs) {
            async_run_on_cpu(cs, stop_timer_work, RUN_ON_CPU_NULL);
        }
    }
}

/* Sends on @port --------------------------------------------------------- */

static int set_evtchn_attr(uint32_t port, uint32_t flags,
                           struct kvm_xen_hvm_attr *attr)
{
    attr->type = KVM_XEN_ATTR_TYPE_EVTCHN;
    attr->u.evtchn.send_port = port;
    attr->u.evtchn.flags = flags;
    return kvm_vm_ioctl(kvm_state, KVM_XEN_HVM_SET_ATTR, attr);
}

/*
 * Have KVM serve the guest's sends on @port.  Where it does not, the send is a
 * hypercall that QEMU serves: slower, no more.
 */
static void assign(XenEvtchnState *s, uint32_t port)
{
    XenEvtchnKvmPort *p = &s->kvm_ports[port];
    struct kvm_xen_hvm_attr attr = {};
    CPUState *cs;
    int fd;

    if (!s->kvm_evtchn || p->assigned) {
        return;
    }
    switch (p->kind) {
    case KVM_PORT_IPI:
        cs = s->kvm_delivers ? xen_evtchn_get_cpu(p->what) : NULL;
        if (!cs) {
            return;
        }
        attr.u.evtchn.type = EVTCHNSTAT_ipi;
        attr.u.evtchn.deliver.port.port = port;
        attr.u.evtchn.deliver.port.vcpu = kvm_arch_vcpu_id(cs);
        xen_evtchn_put_cpu(p->what);
        attr.u.evtchn.deliver.port.priority =
            KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL;
        break;
    case KVM_PORT_BACKEND:
        fd = xen_evtchn_backend_fd(s, p->what);
        if (fd < 0) {
            return;
        }
        attr.u.evtchn.type = EVTCHNSTAT_interdomain;
        attr.u.evtchn.deliver.eventfd.fd = fd;
        break;
    default:
        return;
    }
    p->assigned = !set_evtchn_attr(port, 0, &attr);
}

static int deassign(XenEvtchnState *s, uint32_t port)
{
    struct kvm_xen_hvm_attr attr = {};
    int ret;

    if (!s->kvm_ports[port].assigned) {
        return 0;
    }
    ret = set_evtchn_attr(port, KVM_XEN_EVTCHN_DEASSIGN, &attr);
    if (ret && ret != -ENOENT) {
        error_report("KVM does not let go of Xen event channel %u: %s", port,
                     strerror(-ret));
        return ret;
    }
    s->kvm_ports[port].assigned = false;
    return 0;
}

static void set_port(XenEvtchnState *s, uint32_t port, int kind, uint32_t what)
{
    XenEvtchnKvmPort *p = &s->kvm_ports[port];

    if (p->kind == kind && p->what == what) {
        return;
    }
    deassign(s, port);
    if (p->kind == KVM_PORT_VIRQ) {
        set_virq(s, p->what >> 8, p->what & 0xff, 0);
    }
    p->kind = kind;
    p->what = what;
    if (kind == KVM_PORT_VIRQ) {
        set_virq(s, what >> 8, what & 0xff, port);
    }
    assign(s, port);
}

void xen_evtchn_kvm_binding_changed(void *opaque, uint32_t port,
                                    const struct evtchn_port_info *info)
{
    XenEvtchnState *s = opaque;

    if (port >= XEN_EVTCHN_2L_PORTS) {
        return;
    }
    QEMU_LOCK_GUARD(&s->kvm_lock);
    if (info->state == EVTCHN_IPI) {
        set_port(s, port, KVM_PORT_IPI, info->vcpu);
    } else if (info->state == EVTCHN_INTERDOMAIN &&
               info->remote_domid == DOMID_QEMU) {
        set_port(s, port, KVM_PORT_BACKEND, info->remote_port);
    } else if (info->state == EVTCHN_VIRQ) {
        /* A global VIRQ is the vCPU's that bound it, also when it has moved. */
        if (s->kvm_ports[port].kind != KVM_PORT_VIRQ) {
            set_port(s, port, KVM_PORT_VIRQ, info->vcpu << 8 | info->irq);
        }
    } else {
        set_port(s, port, KVM_PORT_NONE, 0);
    }
}

void xen_evtchn_kvm_vcpu_plugged(XenEvtchnState *s, CPUState *cs)
{
    uint32_t port;

    QEMU_LOCK_GUARD(&s->kvm_lock);
    for (port = 1; port < XEN_EVTCHN_2L_PORTS; port++) {
        XenEvtchnKvmPort *p = &s->kvm_ports[port];

        if (p->kind == KVM_PORT_VIRQ && p->what >> 8 == cs->cpu_index) {
            X86_CPU(cs)->env.xen_virq[p->what & 0xff] = port;
        } else if (p->kind == KVM_PORT_IPI && p->what == cs->cpu_index) {
            assign(s, port);
        }
    }
}

/*
 * Until end_reset QEMU serves all sends.  KVM lets go of all ports at once here:
 * one by one it would wait for its readers each time, for a full table seconds.
 */
void xen_evtchn_kvm_begin_reset(XenEvtchnState *s)
{
    struct kvm_xen_hvm_attr attr = {};
    uint32_t port;

    if (!s->kvm_evtchn) {
        return;
    }
    QEMU_LOCK_GUARD(&s->kvm_lock);
    if (set_evtchn_attr(0, KVM_XEN_EVTCHN_RESET, &attr)) {
        return;
    }
    for (port = 1; port < XEN_EVTCHN_2L_PORTS; port++) {
        s->kvm_ports[port].assigned = false;
    }
}

/* Ports that are still bound, or bound again, are KVM's again. */
void xen_evtchn_kvm_end_reset(XenEvtchnState *s)
{
    uint32_t port;

    QEMU_LOCK_GUARD(&s->kvm_lock);
    for (port = 1; port < XEN_EVTCHN_2L_PORTS; port++) {
        assign(s, port);
    }
}

/*
 * When the model told of the new binding, @port of domain 0 had no handle yet, and
 * so no eventfd that KVM could signal.
 */
void xen_evtchn_kvm_backend_bound(XenEvtchnState *s, uint32_t guest_port,
                                  uint32_t port)
{
    XenEvtchnKvmPort *p;

    if (guest_port >= XEN_EVTCHN_2L_PORTS) {
        return;
    }
    QEMU_LOCK_GUARD(&s->kvm_lock);
    p = &s->kvm_ports[guest_port];
    if (p->kind == KVM_PORT_BACKEND && p->what == port) {
        assign(s, guest_port);
    }
}

/* Delivery ---------------------------------------------------------------- */

bool xen_evtchn_kvm_deliver_2l(void *opaque, uint32_t vcpu, uint32_t port)
{
    XenEvtchnState *s = opaque;
    struct kvm_irq_routing_xen_evtchn event = {
        .port = port,
        .priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL,
    };
    CPUState *cs;

    if (!qatomic_read(&s->kvm_delivers)) {
        return false;
    }
    cs = xen_evtchn_get_cpu(vcpu);
    if (!cs) {
        return false;
    }
    event.vcpu = kvm_arch_vcpu_id(cs);
    xen_evtchn_put_cpu(vcpu);
    /* Before the guest has mapped shared_info KVM fails, and the model delivers. */
    return !kvm_vm_ioctl(kvm_state, KVM_XEN_HVM_EVTCHN_SEND, &event);
}

/* An error: KVM goes on delivering sends on a port. */
static int set_kvm_delivers(XenEvtchnState *s, bool delivers)
{
    uint32_t port;
    int ret = 0;

    if (s->kvm_delivers == delivers) {
        return 0;
    }
    qatomic_set(&s->kvm_delivers, delivers);
    for (port = 1; port < XEN_EVTCHN_2L_PORTS; port++) {
        if (s->kvm_ports[port].kind == KVM_PORT_IPI) {
            if (delivers) {
                assign(s, port);
            } else {
                ret = deassign(s, port) ?: ret;
            }
        }
    }
    return ret;
}

/* KVM can't raise a GSI, so it delivers only if upcalls come by a vector. */
void xen_evtchn_kvm_update(XenEvtchnState *s)
{
    QEMU_LOCK_GUARD(&s->kvm_lock);
    set_kvm_delivers(s, kvm_xen_has_cap(EVTCHN_SEND) &&
                        xen_evtchn_callback_is_vector(s));
}

/* Hand-over --------------------------------------------------------------- */

/* On the vCPU's thread, with the BQL. */
static void take_timer_work(CPUState *cs, run_on_cpu_data data)
{
    XenEvtchnState *s = data.host_ptr;
    XenEvtchnCPU *c = &s->cpus[cs->cpu_index];

    c->timer_error = take_timer(cs);
    c->taking_timer = false;
    if (c->timer_error) {
        error_report("KVM does not give up vCPU %d's Xen timer: %s",
                     cs->cpu_index, strerror(-c->timer_error));
    }
}

/*
 * Have each vCPU move its timer to QEMU; for that it also leaves KVM's SCHEDOP_poll,
 * which waits for 2-level bits.  Two vCPUs may be here at a time, each with work
 * for the other, so neither may wait without doing its own.
 */
static int take_all_timers(XenEvtchnState *s)
{
    CPUState *cs;
    uint32_t i;
    int ret = 0;

    for (i = 0; i < s->nr_cpus; i++) {
        cs = xen_evtchn_cpu(i);
        if (cs && !s->cpus[i].taking_timer) {
            s->cpus[i].taking_timer = true;
            async_run_on_cpu(cs, take_timer_work, RUN_ON_CPU_HOST_PTR(s));
        }
    }
    for (i = 0; i < s->nr_cpus; i++) {
        while (s->cpus[i].taking_timer && xen_evtchn_cpu(i)) {
            if (current_cpu) {
                xen_accel_do_queued_work(current_cpu);
            }
            bql_unlock();
            g_usleep(50);
            bql_lock();
        }
        if (!xen_evtchn_cpu(i)) {
            /* Unplugged meanwhile: its work is never done. */
            s->cpus[i].taking_timer = false;
            s->cpus[i].timer_error = 0;
        }
        ret = s->cpus[i].timer_error ?: ret;
    }
    return ret;
}

static void give_timer_work(CPUState *cs, run_on_cpu_data data)
{
    CPUX86State *env = &X86_CPU(cs)->env;

    /* Since this was queued another vCPU may have begun a switch. */
    if (kvm_xen_has_cap(EVTCHN_SEND)) {
        xen_accel->set_vcpu_upcall_vector(cs, env->xen_vcpu_callback_vector);
        move_timer(cs);
    }
}

/* KVM's routes of PIRQs set 2-level bits, which it must not from now on. */
static void drop_routes(XenEvtchnState *s)
{
    s->kvm_dropping_routes = true;
    xen_evtchn_msi_refresh_all(s);
    s->kvm_dropping_routes = false;
}

int xen_evtchn_kvm_begin_switch(XenEvtchnState *s)
{
    int ret;

    s->kvm_switching++;
    if (!s->kvm_evtchn || s->kvm_released) {
        return 0;
    }
    /* A binder holds this lock while it gives KVM a timer or a port. */
    qemu_mutex_lock(&s->kvm_lock);
    ret = set_kvm_delivers(s, false);
    if (ret) {
        set_kvm_delivers(s, true);
        qemu_mutex_unlock(&s->kvm_lock);
        return ret;
    }
    ret = kvm_xen_set_evtchn_send(false);
    qemu_mutex_unlock(&s->kvm_lock);
    if (ret) {
        error_report("KVM does not stop 2-level event channels: %s",
                     strerror(-ret));
        return ret;
    }
    drop_routes(s);
    ret = take_all_timers(s);
    s->kvm_released = !ret;
    return ret;
}

void xen_evtchn_kvm_end_switch(XenEvtchnState *s)
{
    s->kvm_switching--;
    xen_evtchn_kvm_reclaim(s);
}

void xen_evtchn_kvm_reclaim(XenEvtchnState *s)
{
    CPUState *cs;
    uint32_t i;

    /* Another vCPU may be about to switch: the last one gets to this. */
    if (!s->kvm_evtchn || s->kvm_switching || kvm_xen_has_cap(EVTCHN_SEND) ||
        evtchn_domain_abi(s->guest) != EVTCHN_ABI_2L) {
        return;
    }
    s->kvm_released = false;
    kvm_xen_set_evtchn_send(true);
    for (i = 0; i < s->nr_cpus; i++) {
        cs = xen_evtchn_cpu(i);
        if (cs) {
            async_run_on_cpu(cs, give_timer_work, RUN_ON_CPU_NULL);
        }
    }
    xen_evtchn_kvm_update(s);
    xen_evtchn_msi_refresh_all(s);
}

/* The vCPU has called begin_switch before, so this refuses no guest. */
int xen_evtchn_kvm_abi_change(void *opaque, enum evtchn_abi abi)
{
    XenEvtchnState *s = opaque;

    if (abi != EVTCHN_ABI_2L && s->kvm_evtchn && !s->kvm_released) {
        return -EBUSY;
    }
    return 0;
}

void xen_evtchn_kvm_init(XenEvtchnState *s)
{
    s->kvm_evtchn = kvm_xen_has_cap(EVTCHN_SEND);
    qemu_mutex_init(&s->kvm_lock);
    s->kvm_ports = g_new0(XenEvtchnKvmPort, XEN_EVTCHN_2L_PORTS);
}
