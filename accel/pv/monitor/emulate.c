/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions of the guest that fault in ring 3: its kernel's privileged ones, and
 * those that use ports (see port_io.c).  And CPUID by the prefix that PV kernels know.
 */

#include "emulate.h"

#define CR4_SHOWN   (CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT)
#define CR0_SHOWN   0x80050033ul        /* PG AM WP NE ET MP PE */

static bool fetch(struct insn *insn, uint64_t rip)
{
    unsigned int this_page = PAGE_SIZE - (rip & (PAGE_SIZE - 1));

    insn->have = MAX_INSN_LENGTH;
    if (copy_from_guest(insn->bytes, rip, MAX_INSN_LENGTH)) {
        /* It may end before the next page, which may be none. */
        insn->have = this_page;
        if (this_page >= MAX_INSN_LENGTH ||
            copy_from_guest(insn->bytes, rip, this_page)) {
            return false;
        }
    }
    return true;
}

/* False behind what is there, and behind the longest instruction. */
static bool next(struct insn *insn, uint8_t *byte)
{
    if (insn->at == insn->have) {
        return false;
    }
    *byte = insn->bytes[insn->at++];
    return true;
}

/* Fetch the instruction, its prefixes and its opcode; it depends on the code segment. */
static bool begin_insn(const struct regs *regs, struct insn *insn,
                       uint8_t *opcode)
{
    struct segment code;
    unsigned int size;
    uint8_t byte;

    *insn = (struct insn) { .segment = SEG_DS };
    if (!read_segment(this_vcpu(), regs->cs, &code) ||
        !fetch(insn, code.is_64bit ? regs->rip :
                                     (uint32_t)(code.base + regs->rip))) {
        return false;
    }
    insn->code64 = code.is_64bit;
    size = code.is_64bit || code.is_32bit ? 4 : 2;
    insn->operand_size = size;
    insn->address_size = code.is_64bit ? 8 : size;
    while (next(insn, &byte)) {
        if (insn->code64 && (byte & 0xf0) == 0x40) {
            insn->rex = byte;
            continue;
        }
        switch (byte) {
        case 0x66:
            insn->operand_size = size ^ 6;
            break;
        case 0x67:
            insn->address_size = code.is_64bit ? 4 : size ^ 6;
            break;
        case 0xf2:
        case 0xf3:
            insn->repeats = true;
            break;
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
            /* 64-bit code has no use for these. */
            if (!insn->code64) {
                insn->segment = byte >> 3 & 3;
            }
            break;
        case 0x64:
        case 0x65:
            insn->segment = byte & 7;
            break;
        default:
            if (insn->rex & 8) {
                insn->operand_size = 4;     /* as ports have it */
            }
            *opcode = byte;
            return true;
        }
        /* A REX prefix counts directly before the opcode only. */
        insn->rex = 0;
    }
    return false;
}

/* The register of this number in an instruction. */
static uint64_t *gpr(struct regs *regs, unsigned int number)
{
    uint64_t *const order[] = {
        &regs->rax, &regs->rcx, &regs->rdx, &regs->rbx, &regs->rsp,
        &regs->rbp, &regs->rsi, &regs->rdi, &regs->r8, &regs->r9,
        &regs->r10, &regs->r11, &regs->r12, &regs->r13, &regs->r14,
        &regs->r15,
    };

    return order[number & 15];
}

static bool read_cr(struct vcpu *v, unsigned int cr, uint64_t *value)
{
    switch (cr) {
    case 0:
        *value = CR0_SHOWN | (v->guest_ts ? CR0_TS : 0);
        return true;
    case 2:
        *value = v->info->arch.cr2;
        return true;
    case 3:
        *value = v->kernel_top << PAGE_SHIFT;
        return true;
    case 4:
        *value = CR4_SHOWN | v->cr4;
        return true;
    default:
        return false;
    }
}

void set_guest_ts(struct vcpu *v, bool set)
{
    v->guest_ts = set;
    if (set) {
        write_cr0(read_cr0() | CR0_TS);
    } else {
        clts();
    }
}

void set_guest_cr4(struct vcpu *v, uint64_t value)
{
    v->cr4 = value & v->cr4_bits;
    /* OSXSAVE is always set: see init_processor(). */
    write_cr4((read_cr4() & ~(v->cr4_bits & ~CR4_OSXSAVE)) | v->cr4);
}

static bool write_cr(struct vcpu *v, unsigned int cr, uint64_t value)
{
    switch (cr) {
    case 0:
        if ((value ^ CR0_SHOWN) & ~CR0_TS) {
            return false;
        }
        set_guest_ts(v, value & CR0_TS);
        return true;
    case 2:
        v->info->arch.cr2 = value;
        return true;
    case 3:
        return !set_kernel_top(v, value >> PAGE_SHIFT);
    case 4:
        set_guest_cr4(v, value);
        return true;
    default:
        return false;
    }
}

static void emulate_cpuid(struct regs *regs, bool forced)
{
    uint32_t eax = regs->rax, ebx = 0, ecx = regs->rcx, edx = 0;

    guest_cpuid(&eax, &ebx, &ecx, &edx, forced);
    regs->rax = eax;
    regs->rbx = ebx;
    regs->rcx = ecx;
    regs->rdx = edx;
}

/* Of MOV to and from a debug register.  As on Xen: what there is not is no instruction. */
static enum emulation moved_debugreg(struct regs *regs, long error)
{
    if (error == -XEN_ENODEV) {
        inject(regs, EXC_UD, 0);
        return EMULATION_SETS_REGS;
    }
    return error ? EMULATION_REFUSED : EMULATION_DONE;
}

static enum emulation done_if(bool done)
{
    return done ? EMULATION_DONE : EMULATION_REFUSED;
}

static void set_edx_eax(struct regs *regs, uint64_t value)
{
    regs->rax = (uint32_t)value;
    regs->rdx = value >> 32;
}

static enum emulation two_bytes(struct regs *regs, struct insn *insn)
{
    struct vcpu *v = this_vcpu();
    uint8_t opcode, modrm;
    unsigned int reg, rm;
    uint64_t value;

    if (!next(insn, &opcode)) {
        return EMULATION_REFUSED;
    }
    switch (opcode) {
    case 0x01:
        if (!next(insn, &modrm)) {
            return EMULATION_REFUSED;
        }
        switch (modrm) {
        case 0xd1:          /* xsetbv */
            if (!(v->cr4 & CR4_OSXSAVE)) {
                inject(regs, EXC_UD, 0);
                return EMULATION_SETS_REGS;
            }
            value = regs->rdx << 32 | (uint32_t)regs->rax;
            return done_if((uint32_t)regs->rcx == 0 && !(value & ~XCR0_GUEST) &&
                           xsetbv_safe(0, value));
        case 0xf9:          /* rdtscp, while CR4.TSD is set */
            if (!rdmsr_safe(MSR_TSC_AUX, &value)) {
                return EMULATION_REFUSED;
            }
            regs->rcx = value;
            set_edx_eax(regs, rdtsc());
            return EMULATION_DONE;
        default:
            return EMULATION_REFUSED;
        }
    case 0x06:
        set_guest_ts(v, false);
        return EMULATION_DONE;
    case 0x09:          /* wbinvd: memory is coherent; invd is nobody's */
        return EMULATION_DONE;
    case 0x20 ... 0x23:
        if (!next(insn, &modrm)) {
            return EMULATION_REFUSED;
        }
        reg = (modrm >> 3 & 7) | (insn->rex & 4 ? 8 : 0);
        rm = (modrm & 7) | (insn->rex & 1 ? 8 : 0);
        switch (opcode) {
        case 0x20:
            return done_if(read_cr(v, reg, gpr(regs, rm)));
        case 0x21:
            return moved_debugreg(regs, get_debugreg(v, reg, gpr(regs, rm)));
        case 0x22:
            return done_if(write_cr(v, reg, *gpr(regs, rm)));
        default:
            return moved_debugreg(regs, set_debugreg(v, reg, *gpr(regs, rm)));
        }
    case 0x30:
        return done_if(guest_wrmsr(regs->rcx,
                                   regs->rdx << 32 | (uint32_t)regs->rax));
    case 0x31:
        set_edx_eax(regs, rdtsc());
        return EMULATION_DONE;
    case 0x32:
        if (!guest_rdmsr(regs->rcx, &value)) {
            return EMULATION_REFUSED;
        }
        set_edx_eax(regs, value);
        return EMULATION_DONE;
    case 0xa2:
        emulate_cpuid(regs, false);
        return EMULATION_DONE;
    default:
        return EMULATION_REFUSED;
    }
}

static void raise_debug(struct regs *regs, uint64_t breakpoints)
{
    this_vcpu()->dr6 |= breakpoints;
    inject(regs, EXC_DB, 0);
}

/* A single step of the guest's ends behind what was carried out for it, too. */
static void finish(struct regs *regs, unsigned int length, uint64_t breakpoints)
{
    regs->rip += length;
    if (regs->rflags & FLAG_TF) {
        breakpoints |= DR6_STEP;
    }
    if (breakpoints) {
        raise_debug(regs, breakpoints);
    }
}

bool emulate_privileged(struct regs *regs)
{
    struct vcpu *v = this_vcpu();
    enum emulation result = EMULATION_REFUSED;
    struct insn insn;
    unsigned int size;
    uint8_t opcode, port;

    if (!begin_insn(regs, &insn, &opcode)) {
        return false;
    }
    size = opcode & 1 ? insn.operand_size : 1;
    switch (opcode) {
    case 0x0f:
        if (v->kernel_mode) {
            result = two_bytes(regs, &insn);
        }
        break;
    case 0x6c:
    case 0x6d:
        result = emulate_ins(regs, &insn, size);
        break;
    case 0x6e:
    case 0x6f:
        result = emulate_outs(regs, &insn, size);
        break;
    case 0xe4:
    case 0xe5:
        if (next(&insn, &port)) {
            result = emulate_in(regs, &insn, port, size);
        }
        break;
    case 0xe6:
    case 0xe7:
        if (next(&insn, &port)) {
            result = emulate_out(regs, &insn, port, size);
        }
        break;
    case 0xec:
    case 0xed:
        result = emulate_in(regs, &insn, (uint16_t)regs->rdx, size);
        break;
    case 0xee:
    case 0xef:
        result = emulate_out(regs, &insn, (uint16_t)regs->rdx, size);
        break;
    case 0xfa:          /* cli, sti: the guest's flag is its upcall mask */
    case 0xfb:
        if (iopl_ok(v)) {
            result = EMULATION_DONE;
        }
        break;
    }
    if (result == EMULATION_DONE) {
        finish(regs, insn.at, insn.breakpoints);
    } else if (insn.breakpoints) {
        raise_debug(regs, insn.breakpoints);
    }
    return result != EMULATION_REFUSED;
}

bool emulate_forced(struct regs *regs)
{
    static const uint8_t forced[] = { 0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2 };
    uint8_t bytes[sizeof(forced)];
    unsigned int i;

    if (copy_from_guest(bytes, regs->rip, sizeof(bytes))) {
        return false;
    }
    for (i = 0; i < sizeof(bytes); i++) {
        if (bytes[i] != forced[i]) {
            return false;
        }
    }
    emulate_cpuid(regs, true);
    finish(regs, sizeof(bytes), 0);
    return true;
}
