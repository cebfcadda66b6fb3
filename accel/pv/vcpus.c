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
#include "migration/vmstate.h"
#include "qapi/error.h"
#include "system/runstate.h"

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

/* The stream ----------------------------------------------------------------- */

/* The values are in streams. */
enum {
    SLOT_EMPTY,
    SLOT_SPARE,
    SLOT_PLUGGED,
};

typedef struct SlotStream {
    uint8_t has;
    bool leaves;
    uint32_t status;
} SlotStream;

static struct {
    int32_t nr;
    SlotStream *slots;
} stream;

static uint8_t slot_has(unsigned int i)
{
    return slots[i].spare        ? SLOT_SPARE :
           possible->cpus[i].cpu ? SLOT_PLUGGED :
                                   SLOT_EMPTY;
}

static int pre_save(void *opaque)
{
    int i;

    stream.nr = possible->len;
    stream.slots = g_new0(SlotStream, stream.nr);
    for (i = 0; i < stream.nr; i++) {
        stream.slots[i] = (SlotStream){
            .has = slot_has(i),
            .leaves = slots[i].leaves,
            .status = slots[i].status,
        };
    }
    return 0;
}

static int forget_stream(void *opaque)
{
    g_free(g_steal_pointer(&stream.slots));
    return 0;
}

static bool is_nr_slots(void *opaque, int version_id)
{
    return stream.nr == possible->len;
}

/* A spare that the guest had taken down when it was saved is not wanted here. */
static int load_slot(unsigned int i, const SlotStream *in)
{
    if (in->has == SLOT_EMPTY && slots[i].spare) {
        remove_cpu(i);
    }
    if (in->has != slot_has(i)) {
        error_report(
            "vCPU %u of the saved guest was %splugged: start this machine "
            "with the same CPUs",
            i, in->has == SLOT_PLUGGED ? "" : "not ");
        return -EINVAL;
    }
    if (in->status > XEN_VCPU_UP) {
        error_report("vCPU %u of the saved guest has a status that is unknown",
                     i);
        return -EINVAL;
    }
    slots[i].leaves = in->leaves && in->has == SLOT_PLUGGED && i;
    slots[i].status = in->status;
    return 0;
}

static int post_load(void *opaque, int version_id)
{
    int i, ret = 0;

    for (i = 0; i < stream.nr && !ret; i++) {
        ret = load_slot(i, &stream.slots[i]);
    }
    forget_stream(NULL);
    return ret;
}

/* What was to go when the guest was saved, but after its state has been loaded. */
static void vm_changed(void *opaque, bool running, RunState state)
{
    if (running) {
        schedule_let_go();
    }
}

static const VMStateDescription vmstate_slot = {
    .name = "xen_pv_vcpu_slot",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]){ VMSTATE_UINT8(has, SlotStream),
                                      VMSTATE_BOOL(leaves, SlotStream),
                                      VMSTATE_UINT32(status, SlotStream),
                                      VMSTATE_END_OF_LIST() },
};

static const VMStateDescription vmstate_slots = {
    .name = "xen_pv_vcpus",
    .version_id = 1,
    .minimum_version_id = 1,
    /* To remove a spare changes XenStore, and what is known of absent vCPUs. */
    .priority = MIG_PRI_IOMMU,
    .pre_save = pre_save,
    .post_save = forget_stream,
    .pre_load = forget_stream,
    .post_load = post_load,
    .fields =
        (const VMStateField[]){
            VMSTATE_INT32(nr, typeof(stream)),
            VMSTATE_VALIDATE("number of vCPUs", is_nr_slots),
            VMSTATE_STRUCT_VARRAY_ALLOC(slots, typeof(stream), nr, 1,
                                        vmstate_slot, SlotStream),
            VMSTATE_END_OF_LIST() },
};

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
    vmstate_register(NULL, 0, &vmstate_slots, &stream);
    qemu_add_vm_change_state_handler(vm_changed, NULL);
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
