/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O ports.  A domain without devices of the machine has none, but its kernel may
 * allow its own mode, or user mode, to use them, as on Xen: then what is read is ones,
 * and what is written goes nowhere, instead of a fault.
 */

#include "emulate.h"

#include <xen/physdev.h>

#define MAX_PORTS 65536
#define BITMAP_BYTES (MAX_PORTS / 8)

#define PORT_CMOS_INDEX 0x70
#define PORT_PCI_CONFIG 0xcf8

#define ERROR_WRITE 2

#define SEGMENT_PRESENT 0x80
#define SEGMENT_NORMAL 0x10
#define SEGMENT_CODE 8
#define SEGMENT_RW 2 /* data: writable; code: readable */

/* The two ports from which a domain reads what it has written. */
static uint8_t cmos_index;
static uint32_t pci_config;

/* Xen's: the kernel is in ring 0, not 1, and its IOPL is in its frames. */
static bool architectural_iopl;

/* Rights --------------------------------------------------------------------- */

long call_set_iopl(uint64_t arg)
{
    struct physdev_set_iopl op;

    if (copy_from_guest(&op, arg, sizeof(op))) {
        return -XEN_EFAULT;
    }
    if (op.iopl > 3) {
        return -XEN_EINVAL;
    }
    this_vcpu()->iopl = op.iopl;
    return 0;
}

long call_set_iobitmap(uint64_t arg)
{
    struct vcpu *v = this_vcpu();
    struct physdev_set_iobitmap op;

    if (copy_from_guest(&op, arg, sizeof(op))) {
        return -XEN_EFAULT;
    }
    if (!guest_range_ok((uint64_t)op.bitmap.p, BITMAP_BYTES) ||
        op.nr_ports > MAX_PORTS) {
        return -XEN_EINVAL;
    }
    v->port_bitmap = (uint64_t)op.bitmap.p;
    v->nr_ports = op.nr_ports;
    return 0;
}

void set_architectural_iopl(bool set)
{
    architectural_iopl = set;
}

uint64_t iopl_in_frame(const struct vcpu *v)
{
    return architectural_iopl ? (uint64_t)v->iopl << IOPL_SHIFT : 0;
}

void take_iopl_of_frame(struct vcpu *v, uint64_t rflags)
{
    if (architectural_iopl) {
        v->iopl = (rflags & FLAG_IOPL) >> IOPL_SHIFT;
    }
}

bool iopl_ok(const struct vcpu *v)
{
    return v->iopl >= (!v->kernel_mode ? 3 : architectural_iopl ? 0 : 1);
}

/* A byte of the bitmap, which is in the kernel's memory; ones if it is nowhere. */
static uint8_t bitmap_byte(struct vcpu *v, unsigned int index)
{
    uint64_t address = v->port_bitmap + index;
    uint64_t mfn;

    return guest_frame_at(v, address, &mfn) ?
           ((const uint8_t *)frame(mfn))[address % PAGE_SIZE] : 0xff;
}

static bool may_use(struct vcpu *v, unsigned int port, unsigned int size)
{
    unsigned int bits;

    if (iopl_ok(v)) {
        return true;
    }
    if (port + size > v->nr_ports) {
        return false;
    }
    bits = bitmap_byte(v, port / 8) | bitmap_byte(v, port / 8 + 1) << 8;
    return !(bits & ((1u << size) - 1) << port % 8);
}

/* Reads and writes ------------------------------------------------------------- */

static uint32_t read_port(unsigned int port, unsigned int size)
{
    uint32_t value = size == 4 ? ~0u : (1u << 8 * size) - 1;

    if (port == PORT_PCI_CONFIG && size == 4) {
        return pci_config;
    }
    if (port <= PORT_CMOS_INDEX && port + size > PORT_CMOS_INDEX) {
        unsigned int shift = 8 * (PORT_CMOS_INDEX - port);

        value = (value & ~(0xffu << shift)) | (uint32_t)cmos_index << shift;
    }
    return value;
}

static void write_port(unsigned int port, unsigned int size, uint32_t value)
{
    if (port == PORT_PCI_CONFIG && size == 4) {
        pci_config = value;
    } else if (port <= PORT_CMOS_INDEX && port + size > PORT_CMOS_INDEX) {
        cmos_index = value >> 8 * (PORT_CMOS_INDEX - port);
    }
}

enum emulation emulate_in(struct regs *regs, struct insn *insn,
                          unsigned int port, unsigned int size)
{
    struct vcpu *v = this_vcpu();
    uint32_t value;

    if (!may_use(v, port, size)) {
        return EMULATION_REFUSED;
    }
    insn->breakpoints = port_breakpoints_at(v, port, size);
    value = read_port(port, size);
    /* As any 32-bit value, one clears the upper half. */
    __builtin_memcpy(&regs->rax, &value, size);
    if (size == 4) {
        regs->rax = value;
    }
    return EMULATION_DONE;
}

enum emulation emulate_out(struct regs *regs, struct insn *insn,
                           unsigned int port, unsigned int size)
{
    struct vcpu *v = this_vcpu();

    if (!may_use(v, port, size)) {
        return EMULATION_REFUSED;
    }
    insn->breakpoints = port_breakpoints_at(v, port, size);
    write_port(port, size, regs->rax);
    return EMULATION_DONE;
}

/* Strings ---------------------------------------------------------------------- */

static uint16_t selector_of(const struct regs *regs, unsigned int number)
{
    switch (number) {
    case SEG_CS:
        return regs->cs;
    case SEG_SS:
        return regs->ss;
    case SEG_ES:
        return read_es();
    case SEG_DS:
        return read_ds();
    case SEG_FS:
        return read_fs();
    default:
        return read_gs();
    }
}

struct memory_operand {
    const struct insn *insn;
    struct segment segment;
    unsigned int fault; /* of an address that is none */
};

static enum emulation find_operand(struct regs *regs, const struct insn *insn,
                                   unsigned int number, bool is_written,
                                   struct memory_operand *operand)
{
    struct segment *s = &operand->segment;

    operand->insn = insn;
    operand->fault = number == SEG_SS ? EXC_SS : EXC_GP;
    if (insn->code64) {
        s->base = number == SEG_FS ? rdmsr(MSR_FS_BASE) :
                  number == SEG_GS ? rdmsr(MSR_GS_BASE) :
                                     0;
        return EMULATION_DONE;
    }
    if (!read_segment(this_vcpu(), selector_of(regs, number), s) ||
        !(s->type & SEGMENT_PRESENT)) {
        return EMULATION_REFUSED;
    }
    if (!(s->type & SEGMENT_NORMAL) ||
        (is_written ? (s->type & SEGMENT_CODE) || !(s->type & SEGMENT_RW) :
                      (s->type & SEGMENT_CODE) && !(s->type & SEGMENT_RW))) {
        inject(regs, operand->fault, 0);
        return EMULATION_SETS_REGS;
    }
    return EMULATION_DONE;
}

/* False if no address is at @offset in the segment. */
static bool address_of(const struct memory_operand *operand, uint64_t offset,
                       unsigned int size, uint64_t *address)
{
    const struct segment *s = &operand->segment;

    *address = s->base + offset;
    if (!operand->insn->code64) {
        *address = (uint32_t)*address;
        return s->limit >= size - 1 && offset <= s->limit - (size - 1);
    }
    return guest_range_ok(*address, size);
}

/* The register's part that is an address of this instruction's size. */
static uint64_t part_of(uint64_t value, unsigned int size)
{
    return size == 8 ? value : value & ((1ul << 8 * size) - 1);
}

static void add_to_part(uint64_t *value, unsigned int size, uint64_t n)
{
    uint64_t sum = part_of(*value + n, size);

    if (size == 2) {
        __builtin_memcpy(value, &sum, size);
    } else {
        *value = sum;
    }
}

/*
 * Once, or as often as the count register says; when something has come for the guest,
 * or it has hit a breakpoint or ended a step, it runs the instruction again, with what is left.
 */
static enum emulation move_string(struct regs *regs, struct insn *insn,
                                  unsigned int size, bool in)
{
    enum { MAX_STEPS = 4096 };
    struct vcpu *v = this_vcpu();
    uint64_t *index = in ? &regs->rdi : &regs->rsi;
    uint64_t delta = regs->rflags & FLAG_DF ? -(uint64_t)size : size;
    unsigned int port = (uint16_t)regs->rdx, address_size = insn->address_size;
    struct memory_operand operand;
    enum emulation result;
    uint64_t breakpoints;
    unsigned int step;

    if (insn->repeats && !part_of(regs->rcx, address_size)) {
        /* Registers of 32 bits are so from then on, as by any instruction. */
        add_to_part(&regs->rcx, address_size, 0);
        add_to_part(index, address_size, 0);
        return EMULATION_DONE;
    }
    if (!may_use(v, port, size)) {
        return EMULATION_REFUSED;
    }
    result =
        find_operand(regs, insn, in ? SEG_ES : insn->segment, in, &operand);
    if (result != EMULATION_DONE) {
        return result;
    }
    breakpoints = port_breakpoints_at(v, port, size);
    /* A single step is one repetition. */
    if (regs->rflags & FLAG_TF) {
        breakpoints |= DR6_STEP;
    }
    for (step = 0;
         step < MAX_STEPS && !wants_out(step) && !insn->breakpoints; step++) {
        uint64_t address, left;
        uint32_t value;

        if (!address_of(&operand, part_of(*index, address_size), size,
                        &address)) {
            inject(regs, operand.fault, 0);
            return EMULATION_SETS_REGS;
        }
        if (in) {
            value = read_port(port, size);
            left = copy_to_guest(address, &value, size);
        } else {
            left = copy_from_guest(&value, address, size);
        }
        if (left) {
            guest_page_fault(regs, address + size - left, in ? ERROR_WRITE : 0);
            return EMULATION_SETS_REGS;
        }
        if (!in) {
            write_port(port, size, value);
        }
        insn->breakpoints = breakpoints;
        add_to_part(index, address_size, delta);
        if (!insn->repeats) {
            return EMULATION_DONE;
        }
        add_to_part(&regs->rcx, address_size, -1);
        if (!part_of(regs->rcx, address_size)) {
            return EMULATION_DONE;
        }
    }
    return EMULATION_SETS_REGS;
}

enum emulation emulate_ins(struct regs *regs, struct insn *insn,
                           unsigned int size)
{
    return move_string(regs, insn, size, true);
}

enum emulation emulate_outs(struct regs *regs, struct insn *insn,
                            unsigned int size)
{
    return move_string(regs, insn, size, false);
}
