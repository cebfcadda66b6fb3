/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SCHEDOP_shutdown, shutdown_code and remote_shutdown: how a guest ends. */

#include "hypercalls.h"
#include "physmap.h"
#include "qemu/main-loop.h"
#include "hw/xen/xen-bus.h"
#include "migration/vmstate.h"
#include "system/kvm_xen.h"
#include "system/runstate.h"
#include "system/watchdog.h"
#include "hw/xen/interface/sched.h"

#define NO_CODE (-1)

/* The reason that the guest has set by SCHEDOP_shutdown_code; BQL */
typedef struct ShutdownCode {
    int32_t code;
} ShutdownCode;

static ShutdownCode shutdown_code = { NO_CODE };

static int get_reason(CPUState *cs, uint64_t arg)
{
    struct sched_shutdown op;

    qemu_build_assert(sizeof(op) == 4);
    /* Xen uses 8 bits of the reason. */
    return kvm_copy_from_gva(cs, arg, &op, sizeof(op)) ? -EFAULT
                                                       : (uint8_t)op.reason;
}

/*
 * As Xen's toolstack does, make the devices anew, too: a crash kernel has fewer
 * vCPUs, and so fewer rings, and leaves what the last one wrote about the others.
 */
static int soft_reset(void)
{
    Object *bus = object_resolve_path_type("", TYPE_XEN_BUS, NULL);
    int ret = kvm_xen_soft_reset();

    if (!ret && bus) {
        bus_cold_reset(BUS(bus));
    }
    return ret;
}

/* BQL held. */
int xen_hypercall_shutdown(CPUState *cs, unsigned int reason)
{
    switch (shutdown_code.code == NO_CODE ? reason : shutdown_code.code) {
    case SHUTDOWN_poweroff:
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
        return 0;
    case SHUTDOWN_reboot:
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
        return 0;
    case SHUTDOWN_crash:
        cpu_dump_state(cs, stderr, CPU_DUMP_CODE);
        qemu_system_guest_panicked(NULL);
        return 0;
    case SHUTDOWN_watchdog:
        watchdog_perform_action();
        return 0;
    case SHUTDOWN_soft_reset:
        shutdown_code.code = NO_CODE;
        /* The next kernel does not know what this one has given back. */
        xen_physmap_reset();
        return soft_reset();
    case SHUTDOWN_suspend:
        /*
         * Nothing saves the guest, so it resumes at once, and finds all as it was:
         * to Xen the suspend was cancelled, which makes the hypercall return 1.
         */
        shutdown_code.code = NO_CODE;
        return 1;
    default:
        return -EINVAL;
    }
}

int xen_hypercall_sched_shutdown(CPUState *cs, uint64_t arg)
{
    int reason = get_reason(cs, arg);

    if (reason < 0) {
        return reason;
    }
    BQL_LOCK_GUARD();
    return xen_hypercall_shutdown(cs, reason);
}

/* Only the guest's first call counts. */
int xen_hypercall_sched_shutdown_code(CPUState *cs, uint64_t arg)
{
    int reason = get_reason(cs, arg);

    if (reason < 0) {
        return reason;
    }
    BQL_LOCK_GUARD();
    if (shutdown_code.code == NO_CODE) {
        shutdown_code.code = reason;
    }
    return 0;
}

/* Only a device model may do this; a guest may not even name itself. */
int xen_hypercall_sched_remote_shutdown(CPUState *cs, uint64_t arg)
{
    struct sched_remote_shutdown op;
    int ret;

    qemu_build_assert(sizeof(op) == 8);
    if (kvm_copy_from_gva(cs, arg, &op, sizeof(op))) {
        return -EFAULT;
    }
    /* Xen does not accept DOMID_SELF here. */
    ret = op.domain_id == DOMID_SELF ? -ESRCH
                                     : xen_hypercall_check_self(op.domain_id);
    return ret ? ret : -EPERM;
}

static void reset(void)
{
    shutdown_code.code = NO_CODE;
}

static bool needed(void *opaque)
{
    return shutdown_code.code != NO_CODE;
}

static const VMStateDescription vmstate_code = {
    .name = "xen_shutdown_code",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = needed,
    .fields = (const VMStateField[]) {
        VMSTATE_INT32(code, ShutdownCode),
        VMSTATE_END_OF_LIST()
    },
};

void xen_hypercall_shutdown_init(void)
{
    xen_hypercall_register_reset(reset);
    vmstate_register(NULL, 0, &vmstate_code, &shutdown_code);
}
