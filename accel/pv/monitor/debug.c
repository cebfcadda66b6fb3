/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug registers.  They have the guest's values all the time, so none may be about
 * the monitor's memory.  But the processor sees no access of the guest's to a port:
 * breakpoints on those are the monitor's to find, as on Xen.
 */

#include "monitor.h"

#define DR6_ALWAYS      0xffff0ff0ul
#define DR6_MAY_BE      0xe00ful
#define DR7_ALWAYS      0x400ul
#define DR7_NEVER       0xd800ul
#define DR7_GD          0x2000ul
#define DR7_ENABLES     0xfful
/* Of the four bits for each register, from bit 16 on. */
#define TYPE_MASK       3
#define TYPE_PORT       2
#define LENGTH_SHIFT    2

static long set_address(unsigned int reg, uint64_t value)
{
    if (!guest_range_ok(value, 8)) {
        return -XEN_EPERM;
    }
    switch (reg) {
    case 0:
        write_dr0(value);
        break;
    case 1:
        write_dr1(value);
        break;
    case 2:
        write_dr2(value);
        break;
    case 3:
        write_dr3(value);
        break;
    }
    return 0;
}

static long set_control(struct vcpu *v, uint64_t value)
{
    uint64_t ports = 0;
    unsigned int reg;

    value = (value & ~DR7_NEVER) | DR7_ALWAYS;
    if (value & DR7_GD) {
        return -XEN_EPERM;
    }
    for (reg = 0; reg < 4 && value & DR7_ENABLES; reg++) {
        if ((value >> (16 + 4 * reg) & TYPE_MASK) == TYPE_PORT) {
            if (!(v->cr4 & CR4_DE)) {
                return -XEN_EPERM;
            }
            ports |= value & 3ul << 2 * reg;
        }
    }
    v->port_breakpoints = ports;
    v->dr7 = value & ~ports;
    write_dr7(v->dr7);
    return 0;
}

/* Until the guest sets CR4.DE, 4 and 5 are other names of 6 and 7. */
static unsigned int register_of(const struct vcpu *v, unsigned int reg)
{
    return (reg == 4 || reg == 5) && !(v->cr4 & CR4_DE) ? reg + 2 : reg;
}

long set_debugreg(struct vcpu *v, unsigned int reg, uint64_t value)
{
    reg = register_of(v, reg);
    switch (reg) {
    case 0 ... 3:
        return set_address(reg, value);
    case 6:
        if (value >> 32) {
            return -XEN_EINVAL;
        }
        v->dr6 = (value & DR6_MAY_BE) | DR6_ALWAYS;
        return 0;
    case 7:
        return value >> 32 ? -XEN_EINVAL : set_control(v, value);
    default:
        return -XEN_ENODEV;
    }
}

long get_debugreg(struct vcpu *v, unsigned int reg, uint64_t *value)
{
    switch (register_of(v, reg)) {
    case 0:
        *value = read_dr0();
        return 0;
    case 1:
        *value = read_dr1();
        return 0;
    case 2:
        *value = read_dr2();
        return 0;
    case 3:
        *value = read_dr3();
        return 0;
    case 6:
        *value = v->dr6;
        return 0;
    case 7:
        *value = v->dr7 | v->port_breakpoints;
        return 0;
    default:
        return -XEN_ENODEV;
    }
}

static uint64_t breakpoint_address(unsigned int reg)
{
    switch (reg) {
    case 0:
        return read_dr0();
    case 1:
        return read_dr1();
    case 2:
        return read_dr2();
    default:
        return read_dr3();
    }
}

uint64_t port_breakpoints_at(const struct vcpu *v, unsigned int port,
                             unsigned int size)
{
    static const uint8_t widths[] = { 1, 2, 8, 4 };
    uint64_t hits = 0;
    unsigned int reg;

    for (reg = 0; reg < 4 && v->port_breakpoints && v->cr4 & CR4_DE; reg++) {
        uint64_t width =
            widths[v->dr7 >> (16 + LENGTH_SHIFT + 4 * reg) & TYPE_MASK];
        uint64_t first = breakpoint_address(reg) & -width;

        if (v->port_breakpoints & 3ul << 2 * reg && first < port + size &&
            port < first + width) {
            hits |= 1ul << reg;
        }
    }
    return hits;
}
