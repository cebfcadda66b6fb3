/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wallclock in shared_info: what the time of day was when the guest's system
 * time began.  It is the RTC's time of day, which -rtc sets.
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "qemu/timer.h"
#include "system/kvm_xen.h"
#include "system/rtc.h"
#include "system/runstate.h"
#include "system/system.h"
#include "hw/i386/kvm/xen_overlay.h"
#include "wallclock.h"
#include "xen_accel.h"

/* Its distance from the start of shared_info, by the guest's mode. */
#define WC_OFFSET       0xc00
#define WC_OFFSET_32    0x900

static bool is_mapped;
static VMChangeStateEntry *on_change;

/* QEMU tells the RTC's time in whole seconds of its clock. */
static uint64_t time_of_day_ns(void)
{
    int64_t seconds;
    struct tm tm;
    int64_t ns;

    do {
        ns = qemu_clock_get_ns(rtc_clock);
        seconds = ns / NANOSECONDS_PER_SECOND;
        qemu_get_timedate(&tm, 0);
    } while (qemu_clock_get_ns(rtc_clock) / NANOSECONDS_PER_SECOND != seconds);
    return mktimegm(&tm) * NANOSECONDS_PER_SECOND +
           ns % NANOSECONDS_PER_SECOND;
}

static void write_wallclock(void)
{
    uint64_t began = time_of_day_ns() - xen_accel->get_system_time();
    uint64_t sec = began / NANOSECONDS_PER_SECOND;
    uint8_t *wc = xen_overlay_get_shinfo_ptr();
    bool long_mode = false;
    uint32_t version;

    xen_accel->get_long_mode(&long_mode);
    wc += long_mode ? WC_OFFSET : WC_OFFSET_32;
    version = (ldl_le_p(wc) + 1) | 1;
    stl_le_p(wc, version);
    smp_wmb();
    stl_le_p(wc + 4, sec);
    stl_le_p(wc + 8, began % NANOSECONDS_PER_SECOND);
    /* wc_sec_hi is beside wc_nsec; for 32-bit guests it is in the arch part. */
    stl_le_p(wc + (long_mode ? 12 : 0x24), sec >> 32);
    smp_wmb();
    stl_le_p(wc, version + 1);
}

/* While the guest was stopped the RTC went on, and its system time did not. */
static void changed(void *opaque, bool running, RunState state)
{
    if (running && is_mapped) {
        write_wallclock();
    }
}

void xen_wallclock_set_shared_info(uint64_t gfn)
{
    if (!on_change) {
        on_change = qemu_add_vm_change_state_handler(changed, NULL);
    }
    is_mapped = gfn != INVALID_GFN;
    if (is_mapped) {
        write_wallclock();
    }
}
