/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Twins: firmware knows no Xen devices. A Xen disk or NIC with the property
 * "emulated" has an emulated device with the same content beside it, until the guest
 * unplugs that, and again after a reset of the machine.
 *
 * The emulated device is a QOM child, "emulated-device", of the Xen device. It is made and
 * removed with it.
 */

#ifndef HW_XEN_TWINS_H
#define HW_XEN_TWINS_H

#include "hw/block/block.h"
#include "hw/qdev-core.h"
#include "net/net.h"

/* The emulated device, or NULL if the Xen device has none. */
DeviceState *xen_twin_of(DeviceState *xen_device);

/* Whether the guest has, at this moment, the emulated device. */
bool xen_twin_is_plugged(DeviceState *xen_device);

/*
 * The property "bootindex": the emulated device's, as firmware boots from no other.
 * Without one it is accepted, and says nothing.
 */
void xen_twin_add_bootindex(Object *xen_device, int32_t *bootindex);

/* Make the emulated device of this type on this bus, with its own properties set. */
bool xen_twin_realize(DeviceState *xen_device, DeviceState *emulated,
                      BusState *bus, int32_t bootindex, Error **errp);

/* A bus of the machine: by name, if that is not NULL, and by type. */
BusState *xen_twin_find_bus(const char *name, const char *type);

/*
 * Disk number @disk of the IDE or SATA controller @controller ("ide" is the
 * machine's own). It uses the Xen disk's BlockBackend.
 */
bool xen_disk_twin_create(DeviceState *xen_disk, const char *controller,
                          const BlockConf *conf, unsigned long disk,
                          Error **errp);
void xen_disk_twin_remove(DeviceState *xen_disk);
void xen_disk_twin_resize(DeviceState *xen_disk);

/*
 * A PCI network card of type @type, at @devfn or, if that is negative, in the last
 * free slot. It takes the netdev of @nic, the Xen device's; @emulated is then its own
 * state, or NULL if there is no netdev.
 */
bool xen_nic_twin_create(DeviceState *xen_nic, NICState *nic, const char *type,
                         int32_t devfn, NICState **emulated, Error **errp);
void xen_nic_twin_remove(DeviceState *xen_nic);

/* Give the netdev to one of the two. */
void xen_nic_twin_update(NICState *nic, NICState *emulated, bool to_xen);
/* What set_link does to the Xen device it does to the emulated one. */
void xen_nic_twin_set_link(NICState *emulated, bool link_down);

#endif
