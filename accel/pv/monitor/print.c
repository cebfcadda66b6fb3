/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text on L0's console (QEMU: -debugcon), and what is told of a guest that crashes. */

#include "monitor.h"

#include <stdarg.h>
#include <xen/sched.h>

#define LINE 160

struct line {
    char text[LINE];
    unsigned int length;
};

static void put(struct line *line, char c)
{
    /* There is room for the line's end. */
    if (line->length < LINE - (c != '\n')) {
        line->text[line->length++] = c;
    }
}

static void put_number(struct line *line, uint64_t number, unsigned int base,
                       unsigned int width, char pad)
{
    char digits[24];
    unsigned int n = 0;

    do {
        digits[n++] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number);
    while (n < width && n < sizeof(digits)) {
        digits[n++] = pad;
    }
    while (n) {
        put(line, digits[--n]);
    }
}

/* %s, and %u, %x, %lu, %lx with a width. */
static void format_line(struct line *line, const char *format, va_list list)
{
    for (; *format; format++) {
        unsigned int width = 0;
        char pad = ' ';
        bool is_long = false;
        uint64_t number;
        const char *s;

        if (*format != '%') {
            put(line, *format);
            continue;
        }
        format++;
        if (*format == '0') {
            pad = '0';
            format++;
        }
        while (*format >= '0' && *format <= '9') {
            width = width * 10 + *format++ - '0';
        }
        if (*format == 'l') {
            is_long = true;
            format++;
        }
        if (*format == 's') {
            for (s = va_arg(list, const char *); *s; s++) {
                put(line, *s);
            }
            continue;
        }
        number = is_long ? va_arg(list, uint64_t) : va_arg(list, unsigned int);
        put_number(line, number, *format == 'x' ? 16 : 10, width, pad);
    }
}

static void write_line(struct line *line)
{
    put(line, '\n');
    l0_call(__HYPERVISOR_console_io, CONSOLEIO_write, line->length,
            (uint64_t)line->text, 0, 0);
}

static void print_list(const char *format, va_list list)
{
    struct line line = { .length = 0 };
    const char *name = "pv-monitor: ";

    for (; *name; name++) {
        put(&line, *name);
    }
    format_line(&line, format, list);
    write_line(&line);
}

void print(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    print_list(format, list);
    va_end(list);
}

static void dump(const struct regs *r)
{
    struct vcpu *v = this_vcpu();
    uint64_t words[8];
    uint8_t code[16];
    unsigned int i, level;

    print("vCPU %u in %s mode, vector %lu, error %lx", v->id,
          r->cs & 3 ? v->kernel_mode ? "kernel" : "user" : "the monitor's",
          r->vector, r->error);
    print("rip %04lx:%016lx rsp %04lx:%016lx flags %lx", r->cs, r->rip, r->ss,
          r->rsp, r->rflags);
    print("rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx,
          r->rdx);
    print("rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r->rsi, r->rdi, r->rbp,
          r->r8);
    print("r9  %016lx r10 %016lx r11 %016lx r12 %016lx", r->r9, r->r10, r->r11,
          r->r12);
    print("r13 %016lx r14 %016lx r15 %016lx cr2 %016lx", r->r13, r->r14, r->r15,
          read_cr2());
    print("kernel's tables %lx, user's %lx, fs %lx, gs %lx", v->kernel_top,
          v->user_top, rdmsr(MSR_FS_BASE), rdmsr(MSR_GS_BASE));
    if (!copy_from_guest(code, r->rip, sizeof(code))) {
        print("code %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x",
              code[0], code[1], code[2], code[3], code[4], code[5], code[6],
              code[7], code[8], code[9], code[10], code[11]);
    }
    if (!copy_from_guest(words, r->rsp, sizeof(words))) {
        print("stack %016lx %016lx %016lx %016lx", words[0], words[1], words[2],
              words[3]);
        print("      %016lx %016lx %016lx %016lx", words[4], words[5], words[6],
              words[7]);
    }
    for (level = 4; level; level--) {
        uint64_t *entry = pte_of(v, read_cr2(), level);

        if (!entry) {
            break;
        }
        print("cr2's entry at level %u: %lx", level, *entry);
    }
    for (i = v->nr_calls < 16 ? 0 : v->nr_calls - 16; i < v->nr_calls; i++) {
        print("hypercall %u", v->calls[i % ARRAY_SIZE(v->calls)]);
    }
}

void crash_guest(struct regs *regs, const char *format, ...)
{
    struct sched_shutdown shutdown = { .reason = SHUTDOWN_crash };
    va_list list;

    va_start(list, format);
    print_list(format, list);
    va_end(list);
    if (regs) {
        dump(regs);
    }
    for (;;) {
        l0_call(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (uint64_t)&shutdown, 0,
                0, 0);
    }
}
