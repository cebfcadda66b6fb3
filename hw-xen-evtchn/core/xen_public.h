/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xen's public headers.  They lay out a guest's memory as for the compiler's
 * target, and know few targets.  The guests are x86, whatever the host is.
 */

#ifndef XEN_EVTCHN_XEN_PUBLIC_H
#define XEN_EVTCHN_XEN_PUBLIC_H

#include <stddef.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "an x86 guest's memory is little-endian, and so must the host be"
#endif

#if !defined(__x86_64__) && !defined(__i386__)
#define __x86_64__ 1
#define XEN_EVTCHN_NOT_ON_X86
#endif

#include <xen/xen.h>
#include <xen/errno.h>
#include <xen/event_channel.h>

#ifdef XEN_EVTCHN_NOT_ON_X86
#undef XEN_EVTCHN_NOT_ON_X86
#undef __x86_64__
#endif

#endif /* XEN_EVTCHN_XEN_PUBLIC_H */
