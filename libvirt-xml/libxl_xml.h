/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two halves of reading libxl's domain XML.
 */

#ifndef XL2VIRT_LIBXL_XML_H
#define XL2VIRT_LIBXL_XML_H

#include "conversion.h"

void convert_devices(Conversion *c);

#endif
