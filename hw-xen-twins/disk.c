/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The emulated twin of a Xen disk
 *
 * Both use one BlockBackend, which is attached to the Xen disk: one user of the image,
 * with one lock on it, whose statistics, limits and jobs go on from one to the other.
 */

#include "qemu/osdep.h"
#include "hw/ide/ide-bus.h"
#include "hw/ide/ide-dev.h"
#include "hw/qdev-properties.h"
#include "hw/xen-twins/twins.h"
#include "qapi/error.h"

static IDEBus *find_ide_bus(const char *controller, unsigned long number)
{
    g_autofree char *name = g_strdup_printf("%s.%lu", controller, number);

    return (IDEBus *)xen_twin_find_bus(name, TYPE_IDE_BUS);
}

/* Xen's disks have the places of IDE's: xvda, hda or sda is the first one. */
static IDEBus *find_place(const char *controller, unsigned long disk,
                          uint32_t *unit, Error **errp)
{
    IDEBus *bus = find_ide_bus(controller, 0);
    unsigned long buses = 0, units;

    if (!bus) {
        error_setg(
            errp,
            "emulated=%s: no such controller: it is \"ide\", the "
            "machine's own, or the id of an AHCI device that comes before",
            controller);
        return NULL;
    }
    units = bus->max_units;
    bus = find_ide_bus(controller, disk / units);
    if (!bus) {
        while (find_ide_bus(controller, buses)) {
            buses++;
        }
        error_setg(
            errp, "emulated=%s: only the first %lu disks can be emulated there",
            controller, buses * units);
        return NULL;
    }
    *unit = disk % units;
    return bus;
}

/* The BlockBackend is the Xen disk's: the IDE disk's finalizer leaves it alone then. */
static void remove_disk(IDEDevice *ide)
{
    ide->conf.blk = NULL;
    object_unparent(OBJECT(ide));
}

bool xen_disk_twin_create(DeviceState *xen_disk, const char *controller,
                          const BlockConf *conf, unsigned long disk,
                          Error **errp)
{
    uint32_t unit;
    IDEBus *bus = find_place(controller, disk, &unit, errp);
    DeviceState *dev;
    IDEDevice *ide;

    if (!bus) {
        return false;
    }

    dev = qdev_new("ide-hd");
    ide = IDE_DEVICE(dev);
    ide->conf.blk = conf->blk;
    ide->conf.logical_block_size = conf->logical_block_size;
    ide->conf.physical_block_size = conf->physical_block_size;
    ide->conf.share_rw = conf->share_rw;
    ide->conf.wce = conf->wce;
    qdev_prop_set_uint32(dev, "unit", unit);
    if (!xen_twin_realize(xen_disk, dev, BUS(bus), conf->bootindex, errp)) {
        error_prepend(errp, "emulated=%s: ", controller);
        remove_disk(ide);
        return false;
    }
    if (xen_disk->hotplugged) {
        ide_dev_set_plugged(ide, false);
    }
    return true;
}

void xen_disk_twin_remove(DeviceState *xen_disk)
{
    DeviceState *emulated = xen_twin_of(xen_disk);

    if (emulated) {
        remove_disk(IDE_DEVICE(emulated));
    }
}

void xen_disk_twin_resize(DeviceState *xen_disk)
{
    DeviceState *emulated = xen_twin_of(xen_disk);

    if (emulated) {
        ide_dev_resize(IDE_DEVICE(emulated));
    }
}
