/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wallclock in shared_info, and the RTC that firmware and other systems read. */

#include "guest.h"
#include "port_io.h"

#ifdef GUEST_HVM

#define RTC_SECONDS     0x00
#define RTC_MINUTES     0x02
#define RTC_HOURS       0x04
#define RTC_DAY         0x07
#define RTC_MONTH       0x08
#define RTC_YEAR        0x09
#define RTC_CENTURY     0x32
#define RTC_STATUS_A    0x0a
#define RTC_UPDATES     0x80 /* of status A: it is about to change */

static unsigned int read_decimal(uint8_t index)
{
    uint8_t value = rtc_read(index);

    return (value >> 4) * 10 + (value & 15);
}

/* Days from 1970 to the first of March of @year, and from there. */
static unsigned int days(unsigned int year, unsigned int month,
                         unsigned int day)
{
    if (month < 3) {
        month += 12;
        year--;
    }
    return 365 * year + year / 4 - year / 100 + year / 400 +
           (153 * (month - 3) + 2) / 5 + day - 1 - 719468;
}

/* In seconds since 1970; after the year 2105 in 32 bits of them. */
static uint32_t rtc_time(void)
{
    uint32_t time;

    do {
        while (rtc_read(RTC_STATUS_A) & RTC_UPDATES) {
            cpu_relax();
        }
        time = days(read_decimal(RTC_CENTURY) * 100 + read_decimal(RTC_YEAR),
                    read_decimal(RTC_MONTH), read_decimal(RTC_DAY)) *
                   86400 +
               read_decimal(RTC_HOURS) * 3600 +
               read_decimal(RTC_MINUTES) * 60 + read_decimal(RTC_SECONDS);
    } while (rtc_read(RTC_STATUS_A) & RTC_UPDATES);
    return time;
}

static uint32_t xen_time(void)
{
    uint32_t version, seconds, ns;

    do {
        version = __atomic_load_n(&shared_info->wc_version, __ATOMIC_ACQUIRE);
        seconds = shared_info->wc_sec;
        ns = shared_info->wc_nsec;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (version & 1 || version != shared_info->wc_version);
    /* No division of 64 bits in a 32-bit guest. */
    return seconds + (uint32_t)((system_time() + ns) >> 9) / (1000000000 >> 9);
}

static void check_times(void)
{
    int apart = xen_time() - rtc_time();

    test_note("wallclock: %d s ahead", apart);
    check(apart >= -1 && apart <= 2);
}

/* Xen's system time is the host's age, too large for the division here. */
TEST(wallclock_is_the_rtc, "hvm tcg lab kvm seconds=30")
{
    uint64_t end =
        system_time() + command_line_number("wait", 0) * 1000000000ull;

    check_times();
    if (command_line_number("since", 0)) {
        check(rtc_time() - command_line_number("since", 0) < 3600);
    }
    /* Somebody may stop QEMU for a while. */
    while (system_time() < end) {
        cpu_relax();
    }
    check_times();
}

#endif /* GUEST_HVM */
