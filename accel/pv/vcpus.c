/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPUs of a PV guest on the monitor that are plugged and unplugged.
 *
 * On Xen a domain has all the vCPUs that it may ever have from its start.  Linux starts
 * every one, and does not bear that one cannot be started; once it has XenStore, it
 * takes down those that are offline by cpu/N/availability.  So a slot of the machine
 * in which no CPU is plugged has a spare one when the guest starts: a CPU that
 * management does not see, and that goes when the guest has taken it down.  From
 * then on there is none until one is plugged.
 *
 * A CPU that is plugged goes by the same way, after a request to unplug it.  What the
 * guest's vCPU had in its processor, the monitor keeps: see monitor/park.c.
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "cpu.h"
#include "hw/i386/kvm/xen_xenstore.h"
#include "hw/i386/x86.h"
#include "qapi/error.h"

#include "hw/xen-accel/xen_accel.h"
#include "machine.h"
#include "vcpus.h"

typedef struct Slot {
    CPUState *spare; /* in place of one that is plugged */
    bool leaves; /* the one that is plugged is to be unplugged */
    /* WAITING: since it is there, or since a reset; DOWN: by itself */
    XenVCPUStatus status;
} Slot;

/* By cpu_index; NULL where no vCPU can be plugged.  BQL. */
static Slot *slots;
static CPUArchIdList *possible;
static bool makes_spare;

static bool is_spare(CPUState *cs)
{
    return slots && slots[cs->cpu_index].spare == cs;
}

/* The machine's own functions. */
static struct {
    void (*reset)(MachineState *ms, ResetType type);
    void (*pre_plug)(HotplugHandler *handler, DeviceState *dev, Error **errp);
    void (*unplug_request)(HotplugHandler *handler, DeviceState *dev,
                           Error **errp);
} machine;

static void make_spare(MachineState *ms, unsigned int i)
{
    Object *cpu = object_new(ms->cpu_type);

    makes_spare = true;
    object_property_set_uint(cpu, "apic-id", possible->cpus[i].arch_id,
                             &error_fatal);
    qdev_realize(DEVICE(cpu), NULL, &error_fatal);
    makes_spare = false;
    /* Management that looks for a free slot finds this one. */
    possible->cpus[i].cpu = NULL;
    slots[i].spare = CPU(cpu);
    slots[i].status = XEN_VCPU_WAITING;
    object_unref(cpu);
}

/* The CPU in slot @i, spare or plugged; for a plugged one QEMU says DEVICE_DELETED. */
static void remove_cpu(unsigned int i)
{
    CPUState *spare = g_steal_pointer(&slots[i].spare);
    DeviceState *dev = DEVICE(spare ?: possible->cpus[i].cpu);

    possible->cpus[i].cpu = NULL;
    slots[i].leaves = false;
    /* As x86_cpu_unplug_cb(), but that no firmware has ACPI or fw_cfg know of CPUs. */
    X86_MACHINE(current_machine)->boot_cpus--;
    qdev_unrealize(dev);
    if (spare) {
        dev->pending_deleted_event = false;
    }
    object_unparent(OBJECT(dev));
}

static void let_go(void *opaque)
{
    unsigned int i;

    for (i = 0; i < possible->len; i++) {
        if (slots[i].spare ?
                slots[i].status == XEN_VCPU_DOWN :
                slots[i].leaves && slots[i].status != XEN_VCPU_UP) {
            remove_cpu(i);
        }
    }
}

/* Not now: the caller may be the vCPU's own thread, which has to end. */
static void schedule_let_go(void)
{
    aio_bh_schedule_oneshot(qemu_get_aio_context(), let_go, NULL);
}

void xen_pv_vcpu_is_up(CPUState *cs)
{
    if (slots) {
        slots[cs->cpu_index].status = XEN_VCPU_UP;
    }
}

void xen_pv_vcpu_is_down(CPUState *cs)
{
    if (slots) {
        slots[cs->cpu_index].status = XEN_VCPU_DOWN;
        schedule_let_go();
    }
}

/* Before all is reset: the guest that had these vCPUs is gone. */
static void reset(MachineState *ms, ResetType type)
{
    unsigned int i;

    for (i = 1; slots && i < possible->len; i++) {
        if (slots[i].leaves) {
            remove_cpu(i);
        }
        if (!possible->cpus[i].cpu && !slots[i].spare) {
            make_spare(ms, i);
        }
        slots[i].status = XEN_VCPU_WAITING;
        xen_xenstore_set_cpu_availability(i, !slots[i].spare);
    }
    if (slots) {
        slots[0].status = XEN_VCPU_UP;
    }
    machine.reset(ms, type);
}

static bool is_vcpu(DeviceState *dev)
{
    return slots && object_dynamic_cast(OBJECT(dev), TYPE_X86_CPU);
}

static void pre_plug(HotplugHandler *handler, DeviceState *dev, Error **errp)
{
    ERRP_GUARD();
    unsigned int i;

    machine.pre_plug(handler, dev, errp);
    if (*errp || !is_vcpu(dev) || makes_spare) {
        return;
    }
    i = CPU(dev)->cpu_index;
    if (slots[i].spare) {
        if (slots[i].status == XEN_VCPU_UP) {
            error_setg(errp,
                       "vCPU %u: the guest has it since its start, and has not "
                       "taken it down yet: plug it when the guest has booted",
                       i);
            return;
        }
        remove_cpu(i);
    }
    slots[i].status = XEN_VCPU_WAITING;
}

static void unplug_request(HotplugHandler *handler, DeviceState *dev,
                           Error **errp)
{
    unsigned int i;

    if (!is_vcpu(dev)) {
        machine.unplug_request(handler, dev, errp);
        return;
    }
    i = CPU(dev)->cpu_index;
    if (i == 0) {
        error_setg(errp, "vCPU 0 cannot be unplugged");
        return;
    }
    slots[i].leaves = true;
    xen_xenstore_set_cpu_availability(i, false);
    schedule_let_go();
}

unsigned int xen_pv_vcpus_init(MachineState *ms)
{
    MachineClass *mc = MACHINE_GET_CLASS(ms);
    unsigned int i;

    if (!mc->has_hotpluggable_cpus) {
        return ms->smp.cpus;
    }
    slots = g_new0(Slot, ms->smp.max_cpus);
    possible = ms->possible_cpus;
    qmp_cpu_is_hidden = is_spare;
    for (i = ms->smp.cpus; i < ms->smp.max_cpus; i++) {
        make_spare(ms, i);
    }
    return ms->smp.max_cpus;
}

void xen_pv_vcpus_class_init(ObjectClass *oc)
{
    MachineClass *mc = MACHINE_CLASS(oc);
    HotplugHandlerClass *hc = HOTPLUG_HANDLER_CLASS(oc);

    machine.reset = mc->reset;
    machine.pre_plug = hc->pre_plug;
    machine.unplug_request = hc->unplug_request;
    mc->reset = reset;
    hc->pre_plug = pre_plug;
    hc->unplug_request = unplug_request;
}
