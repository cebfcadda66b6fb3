/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of an xl.cfg, each mapped by a file of its own.  Each function takes the
 * settings of the file, asks for those of its subject, and adds to the domain.
 */

#ifndef XL2VIRT_DOMAIN_H
#define XL2VIRT_DOMAIN_H

#include <libxlutil.h>

#include "settings.h"

/* Prints libxlutil's message, "FILE:LINE: what", as ours. */
void report_libxlutil(Conversion *c, int line, const char *said,
                      const char *advice);

/* Sets the guest's type, which the others ask for. */
void map_boot(Conversion *c, Settings *cfg);
void map_identity(Conversion *c, Settings *cfg);
void map_memory(Conversion *c, Settings *cfg);
void map_events(Conversion *c, Settings *cfg);
void map_clock(Conversion *c, Settings *cfg);
void map_smbios(Conversion *c, Settings *cfg);
void map_xenbus(Conversion *c, Settings *cfg);
void map_cpus(Conversion *c, Settings *cfg);
void map_cpu_features(Conversion *c, Settings *cfg);
void map_vnuma(Conversion *c, Settings *cfg);
void map_disks(Conversion *c, Settings *cfg);
void map_interfaces(Conversion *c, Settings *cfg);
void map_graphics(Conversion *c, Settings *cfg);
void map_serials(Conversion *c, Settings *cfg);
void map_channels(Conversion *c, Settings *cfg);
void map_sound(Conversion *c, Settings *cfg);
void map_pci(Conversion *c, Settings *cfg);
void map_usb(Conversion *c, Settings *cfg);

/* An absolute path, or an error. */
gboolean is_path(Conversion *c, int line, const char *key, const char *path);

#endif
