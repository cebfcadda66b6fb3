/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the machines of a saved guest must have alike, at the beginning of a stream:
 * before the memory, whose sizes follow from some of it, so that a machine which
 * differs says which option it lacks.
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "migration/vmstate.h"

#include "machine_state.h"
#include "pv/machine.h"
#include "xen_accel.h"

/* What is below the guest; the values are in streams. */
enum {
    HVM,
    PV_SHIM,
    PV_MONITOR,
    PV_MONITOR_EVENTS_IN_QEMU,
    NR_KINDS
};

static const char *const kind_options[NR_KINDS] = {
    [HVM] = "xen-guest=hvm",
    [PV_SHIM] = "xen-guest=pv,xen-pv-layer=shim",
    [PV_MONITOR] = "xen-guest=pv,xen-pv-layer=monitor,xen-pv-events=monitor",
    [PV_MONITOR_EVENTS_IN_QEMU] =
        "xen-guest=pv,xen-pv-layer=monitor,xen-pv-events=qemu",
};

typedef struct XenMachineState {
    bool kvm;
    uint8_t kind;
    uint16_t grant_frames;
    uint32_t version;
} XenMachineState;

static XenMachineState stream;

static bool is_kvm(void)
{
    return !strcmp(xen_accel->name, "kvm");
}

static uint8_t kind(void)
{
    if (xen_pv_machine_has_monitor()) {
        return xen_pv_machine_has_own_events() ? PV_MONITOR :
                                                 PV_MONITOR_EVENTS_IN_QEMU;
    }
    return xen_pv_machine_has_shim() ? PV_SHIM : HVM;
}

static int pre_save(void *opaque)
{
    stream = (XenMachineState) {
        .kvm = is_kvm(),
        .kind = kind(),
        .grant_frames = xen_accel->get_gnttab_max_frames(),
        .version = xen_accel->get_xen_version(),
    };
    return 0;
}

static int post_load(void *opaque, int version_id)
{
    if (stream.kvm != is_kvm()) {
        /* Its clock, its TSC and its timers are others. */
        error_report("the guest was saved on %s: start this machine with -accel "
                     "%s, too", stream.kvm ? "KVM" : "TCG",
                     stream.kvm ? "kvm" : "tcg");
    } else if (stream.version != xen_accel->get_xen_version()) {
        error_report("the guest was offered Xen %u.%u: set -machine "
                     "xen-version=0x%x here too", stream.version >> 16,
                     stream.version & 0xffff, stream.version);
    } else if (stream.kind >= NR_KINDS) {
        error_report("the saved guest is of a kind that is unknown here");
    } else if (stream.kind != kind()) {
        error_report("the saved guest is another kind of guest: set -machine %s "
                     "here too", kind_options[stream.kind]);
    } else if (stream.grant_frames != xen_accel->get_gnttab_max_frames()) {
        error_report("the guest was offered %u grant frames: set -machine "
                     "xen-gnttab-max-frames=%u here too", stream.grant_frames,
                     stream.grant_frames);
    } else {
        return 0;
    }
    return -EINVAL;
}

static const VMStateDescription vmstate_machine = {
    .name = "xen_machine",
    .version_id = 1,
    .minimum_version_id = 1,
    .early_setup = true,
    /* Before the RAM's. */
    .priority = MIG_PRI_MAX,
    .pre_save = pre_save,
    .post_load = post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(kvm, XenMachineState),
        VMSTATE_UINT8(kind, XenMachineState),
        VMSTATE_UINT16(grant_frames, XenMachineState),
        VMSTATE_UINT32(version, XenMachineState),
        VMSTATE_END_OF_LIST()
    },
};

void xen_machine_state_init(void)
{
    vmstate_register(NULL, 0, &vmstate_machine, &stream);
}
