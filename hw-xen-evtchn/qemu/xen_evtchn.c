/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device of type "xen-evtchn": a Xen guest's event channels.
 *
 * What a channel is and how an event reaches the guest is in the model
 * (../core); here it becomes a QEMU device: its making, its reset, its state.
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "hw/boards.h"
#include "hw/xen/xen.h"
#include "migration/vmstate.h"
#include "system/kvm.h"
#include "system/kvm_xen.h"
#include <linux/kvm.h>

#include "hw/i386/kvm/xen_overlay.h"
#include "hw/xen/interface/xen.h"
#include "hw/xen-accel/machine_state.h"
#include "hw/xen-accel/xen_accel.h"
#include "hw/xen-hypercalls/hypercalls.h"
#include "target/i386/cpu.h"

#include "internal.h"

/* So that two back ends seldom meet at a lock when the guest notifies them. */
#define HOST_LOCKS 8

XenEvtchnState *xen_evtchn_singleton;

/* The first vCPUs are there before the device is. */
void xen_evtchn_vcpu_realized(CPUState *cs)
{
    xen_evtchn_vcpus_init(MACHINE(qdev_get_machine())->smp.max_cpus);
    xen_evtchn_vcpu_publish(cs->cpu_index, cs);
    if (xen_evtchn_singleton) {
        xen_evtchn_kvm_vcpu_plugged(xen_evtchn_singleton, cs);
    }
}

void xen_evtchn_vcpu_unrealize(CPUState *cs)
{
    xen_evtchn_vcpu_withdraw(cs->cpu_index);
}

/* As in Xen what a vCPU has registered stays with its number; its sleep ends. */
void xen_evtchn_vcpu_ended(CPUState *cs)
{
    if (xen_evtchn_singleton) {
        xen_evtchn_poll_cancel(cs->cpu_index);
    }
}

void xen_evtchn_set_vcpu_info(CPUState *cs, void *vcpu_info)
{
    XenEvtchnState *s = xen_evtchn_singleton;
    uint32_t vcpu = cs->cpu_index;
    struct vcpu_info *old;

    if (!s || vcpu >= s->nr_cpus || s->cpus[vcpu].vcpu_info == vcpu_info) {
        return;
    }
    old = s->cpus[vcpu].vcpu_info;
    s->cpus[vcpu].vcpu_info = vcpu_info;
    evtchn_vcpu_set_info(s->guest, vcpu, vcpu_info, false);
    /*
     * From here on no sender writes to the old one.  If an upcall was pending
     * there, it has to be so in the new one.  If not, the new one is not marked:
     * on KVM an upcall that is raised before the vCPU has enabled its LAPIC is
     * lost, and a flag that was set for nothing would then hide every later
     * event.  (Xen raises the upcall once the LAPIC is enabled; so does
     * accel/tcg/upcall.c.  KVM's LAPIC is the kernel's.)
     */
    if (vcpu_info && xen_upcall_pending(old)) {
        evtchn_vcpu_set_info(s->guest, vcpu, vcpu_info, true);
    }
}

void xen_evtchn_set_absent_vcpu_info(uint32_t vcpu, void *vcpu_info)
{
    XenEvtchnState *s = xen_evtchn_singleton;

    if (s && vcpu < s->nr_cpus) {
        s->cpus[vcpu].vcpu_info = vcpu_info;
        evtchn_vcpu_set_info(s->guest, vcpu, vcpu_info, false);
    }
}

void xen_evtchn_forget_vcpu_info(uint32_t vcpu)
{
    xen_evtchn_set_absent_vcpu_info(vcpu, NULL);
}

void xen_evtchn_set_long_mode(bool long_mode)
{
    if (xen_evtchn_singleton) {
        evtchn_domain_set_long_mode(xen_evtchn_singleton->guest, long_mode);
    }
}

void xen_evtchn_set_virq(uint32_t vcpu, uint32_t virq)
{
    RCU_READ_LOCK_GUARD();
    if (xen_evtchn_singleton) {
        evtchn_raise_virq(xen_evtchn_singleton->guest, vcpu, virq);
    }
}

int xen_evtchn_set_port(uint16_t port)
{
    XenEvtchnState *s = xen_evtchn_singleton;
    struct evtchn_port_info info;

    if (!s) {
        return -ENOTSUP;
    }
    RCU_READ_LOCK_GUARD();
    if (evtchn_port_info(s->guest, port, &info) ||
        (info.state != EVTCHN_VIRQ && info.state != EVTCHN_INTERDOMAIN)) {
        return -EINVAL;
    }
    return evtchn_raise_port(s->guest, port);
}

int xen_evtchn_soft_reset(void)
{
    XenEvtchnState *s = xen_evtchn_singleton;
    int ret;

    if (!s) {
        return -ENOTSUP;
    }
    assert(bql_locked());
    ret = xen_evtchn_reset_now(s);
    xen_evtchn_pirq_reset(s);
    xen_evtchn_kvm_stop_timers(s);
    return ret;
}

static int xen_evtchn_before_switch(XenEvtchnStream *stream)
{
    XenEvtchnState *s = container_of(stream, XenEvtchnState, stream);

    return xen_evtchn_kvm_begin_switch(s);
}

static void xen_evtchn_after_switch(XenEvtchnStream *stream)
{
    XenEvtchnState *s = container_of(stream, XenEvtchnState, stream);

    xen_evtchn_kvm_end_switch(s);
}

static int xen_evtchn_pre_save(void *opaque)
{
    XenEvtchnState *s = opaque;

    s->stream.callback_param = s->callback_param;
    memcpy(s->stream.gsi_pirq, s->gsi_pirq, sizeof(s->gsi_pirq));
    s->stream.pirq_gsi_set = s->gsi_levels;
    s->stream.pirq_inuse = g_memdup2(s->pirq_inuse,
                                     s->nr_pirq_inuse_words * sizeof(uint64_t));
    return 0;
}

static int xen_evtchn_pre_load(void *opaque)
{
    /* Or a port of the stream's could be bound to a back end's of before. */
    xen_evtchn_backend_unbind_all(opaque);
    return 0;
}

static int xen_evtchn_post_load(void *opaque, int version_id)
{
    XenEvtchnState *s = opaque;
    XenEvtchnStream *stream = &s->stream;
    int ret;

    memcpy(s->gsi_pirq, stream->gsi_pirq, sizeof(s->gsi_pirq));
    s->gsi_levels = stream->pirq_gsi_set;
    if (stream->pirq_inuse) {
        memcpy(s->pirq_inuse, stream->pirq_inuse,
               s->nr_pirq_inuse_words * sizeof(uint64_t));
        g_free(g_steal_pointer(&stream->pirq_inuse));
    }
    xen_evtchn_pirq_rebuild(s);
    if (stream->callback_param) {
        ret = xen_evtchn_load_callback_param(stream->callback_param);
        if (ret) {
            error_report("xen-evtchn: no upcall can come by 0x%" PRIx64 ": %s",
                         stream->callback_param, strerror(-ret));
            return ret;
        }
    }
    xen_evtchn_msi_refresh_stale();
    xen_evtchn_kvm_update(s);
    ret = xen_absent_vcpus_loaded();
    if (ret) {
        return ret;
    }
    return xen_accel->guest_loaded();
}

static bool xen_evtchn_is_needed(void *opaque)
{
    return xen_mode == XEN_EMULATE;
}

static const VMStateDescription vmstate_xen_evtchn = {
    .name = "xen_evtchn",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = xen_evtchn_is_needed,
    .pre_save = xen_evtchn_pre_save,
    .pre_load = xen_evtchn_pre_load,
    .post_load = xen_evtchn_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(stream, XenEvtchnState, 1, vmstate_xen_evtchn_stream,
                       XenEvtchnStream),
        VMSTATE_END_OF_LIST()
    },
};

static void xen_evtchn_realize(DeviceState *dev, Error **errp)
{
    XenEvtchnState *s = XEN_EVTCHN(dev);
    struct evtchn_domain_config guest = { .domid = xen_domid };
    struct evtchn_domain_config host = {
        .domid = DOMID_QEMU,
        .nr_vcpus = HOST_LOCKS,
        .host = true,
        .privileged = true,
    };
    int ret;

    if (!xen_evtchn_get_options(kvm_xen_has_cap(EVTCHN_SEND), &s->options,
                                errp)) {
        return;
    }
    s->nr_cpus = MACHINE(qdev_get_machine())->smp.max_cpus;
    if (s->options.traffic &&
        !xen_evtchn_traffic_init(s->options.traffic, s->nr_cpus, errp)) {
        return;
    }
    s->cpus = g_new0(XenEvtchnCPU, s->nr_cpus);
    xen_evtchn_pirq_init(s);
    xen_evtchn_env_init(s);
    xen_evtchn_backend_init();
    xen_evtchn_kvm_init(s);

    guest.nr_vcpus = s->nr_cpus;
    guest.max_ports = s->options.max_ports;
    guest.nr_pirqs = s->nr_pirqs;
    /* A load refuses what was offered something else. */
    guest.fifo = s->options.fifo;
    guest.three_level = s->options.three_level;
    /* A guest may have all its ports bound to back ends. */
    host.max_ports = EVTCHN_MAX_PORTS;

    s->hub = evtchn_hub_create(&xen_evtchn_host_env, s);
    ret = s->hub ? 0 : -ENOMEM;
    if (!ret) {
        ret = evtchn_domain_create(s->hub, &guest, &xen_evtchn_guest_env, s,
                                   &s->guest);
    }
    if (!ret) {
        ret = evtchn_domain_create(s->hub, &host, &xen_evtchn_host_env, s,
                                   &s->host);
    }
    if (ret) {
        error_setg_errno(errp, -ret, "Xen event channels of domain %u",
                         xen_domid);
        return;
    }
    evtchn_domain_set_long_mode(s->guest, xen_is_long_mode());
    /* The page exists, and takes events, before the guest maps it. */
    evtchn_domain_set_shared_info(s->guest, xen_overlay_get_shinfo_ptr());

    s->stream.domain = s->guest;
    s->stream.shared_info = xen_overlay_get_shinfo_ptr();
    s->stream.host_domid = DOMID_QEMU;
    s->stream.max_ports = s->options.max_ports;
    s->stream.fifo = s->options.fifo;
    s->stream.three_level = s->options.three_level;
    s->stream.before_switch = xen_evtchn_before_switch;
    s->stream.after_switch = xen_evtchn_after_switch;
    s->stream.nr_pirqs = s->nr_pirqs;
    s->stream.nr_pirq_inuse_words = s->nr_pirq_inuse_words;
}

XenEvtchnOffer xen_evtchn_offer(void)
{
    const XenEvtchnOptions *options = &xen_evtchn_singleton->options;

    return (XenEvtchnOffer) {
        .fifo = options->fifo,
        .three_level = options->three_level,
        .max_ports = options->max_ports,
    };
}

void xen_evtchn_create(unsigned int nr_gsis, qemu_irq *system_gsis)
{
    DeviceState *dev;
    XenEvtchnState *s;

    /* This is the first device of a Xen guest that needs its accelerator. */
    xen_accel_require();
    xen_machine_state_init();
    xen_hypercalls_init();
    dev = qdev_new(TYPE_XEN_EVTCHN);
    s = XEN_EVTCHN(dev);
    sysbus_realize_and_unref(SYS_BUS_DEVICE(dev), &error_fatal);
    xen_evtchn_callback_init(s, nr_gsis, system_gsis);
    xen_evtchn_singleton = s;
}

static void xen_evtchn_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = xen_evtchn_realize;
    dc->vmsd = &vmstate_xen_evtchn;
}

static const TypeInfo xen_evtchn_info = {
    .name = TYPE_XEN_EVTCHN,
    .parent = TYPE_SYS_BUS_DEVICE,
    .instance_size = sizeof(XenEvtchnState),
    .class_init = xen_evtchn_class_init,
};

static void xen_evtchn_register_types(void)
{
    type_register_static(&xen_evtchn_info);
}

type_init(xen_evtchn_register_types)
