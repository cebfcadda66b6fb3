/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/shutdown in XenStore, by which a Xen guest is asked to power off, to
 * reboot or to suspend.  The guest takes a request by writing an empty string there;
 * shutdown.c has what follows.
 */

#include "hypercalls.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-misc-target.h"
#include "system/runstate.h"
#include "hw/acpi/ich9.h"
#include "hw/acpi/piix4.h"
#include "hw/southbridge/ich9.h"
#include "hw/xen/xen_backend_ops.h"
#include "hw/xen-accel/pv/machine.h"
#include "hw/xen-evtchn/qemu/hooks.h"

/*
 * As libxl, which asks no HVM guest before that has told how it takes upcalls, and a
 * PV guest at any time.
 */
static bool has_drivers(void)
{
    return xen_pv_machine_has_monitor() || xen_evtchn_get_callback_param();
}

static bool write_request(const char *request)
{
    g_autofree char *path =
        g_strdup_printf("/local/domain/%u/control/shutdown", xen_domid);
    struct qemu_xs_handle *xs = qemu_xen_xs_open();
    bool ok = xs && qemu_xen_xs_write(xs, XBT_NULL, path, request,
                                      strlen(request));

    if (xs) {
        qemu_xen_xs_close(xs);
    }
    return ok;
}

void qmp_xen_shutdown_request(XenShutdownRequest request, Error **errp)
{
    if (!xen_accel) {
        error_setg(errp, "This is not a Xen guest");
    } else if (!has_drivers()) {
        error_setg(errp, "The guest runs no Xen drivers that could be asked");
    } else if (!write_request(XenShutdownRequest_str(request))) {
        error_setg(errp, "XenStore does not take control/shutdown");
    }
}

/* Does the guest's kernel listen to the machine's power button? */
static bool has_power_button(void)
{
    Object *piix4 = object_resolve_path_type("", TYPE_PIIX4_PM, NULL);
    Object *ich9 = object_resolve_path_type("", TYPE_ICH9_LPC_DEVICE, NULL);
    const ACPIREGS *ar = piix4 ? &PIIX4_PM(piix4)->ar :
                         ich9 ? &ICH9_LPC_DEVICE(ich9)->pm.acpi_regs : NULL;

    return ar && ar->pm1.evt.en & ACPI_BITMASK_POWER_BUTTON_ENABLE;
}

/* system_powerdown, which a guest without ACPI, such as a PV guest, would not see. */
static void powerdown(Notifier *notifier, void *data)
{
    if (has_drivers() && !has_power_button()) {
        write_request(XenShutdownRequest_str(XEN_SHUTDOWN_REQUEST_POWEROFF));
    }
}

static Notifier powerdown_notifier = { .notify = powerdown };

/* What one kernel has not taken is not meant for the next. */
static void reset(void)
{
    write_request("");
}

void xen_hypercall_control_init(void)
{
    qemu_register_powerdown_notifier(&powerdown_notifier);
    xen_hypercall_register_reset(reset);
}
