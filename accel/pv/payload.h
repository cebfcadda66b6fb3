/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a kernel's file to the ELF file in it. */

#ifndef XEN_PV_PAYLOAD_H
#define XEN_PV_PAYLOAD_H

#include <glib.h>

/*
 * The ELF file that @file is, or has: packed by gzip, or as the payload of a
 * bzImage, which may be packed in each way that Linux knows.  NULL, with one line
 * in @error, if there is none.
 */
GBytes *xen_pv_payload(GBytes *file, GError **error);

#define XEN_PV_ERROR xen_pv_error_quark()
GQuark xen_pv_error_quark(void);

#endif /* XEN_PV_PAYLOAD_H */
