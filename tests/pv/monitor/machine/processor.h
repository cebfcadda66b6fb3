/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In place of the monitor's: the instructions are functions of processor.c. */

#ifndef PV_MONITOR_PROCESSOR_H
#define PV_MONITOR_PROCESSOR_H

#include <stdint.h>

#include <machine/msrs.h>

uint64_t rdmsr(uint32_t msr);
void wrmsr(uint32_t msr, uint64_t value);
void cpuid(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d);

uint64_t read_cr0(void);
uint64_t read_cr2(void);
uint64_t read_cr3(void);
uint64_t read_cr4(void);
uint64_t read_dr0(void);
uint64_t read_dr1(void);
uint64_t read_dr2(void);
uint64_t read_dr3(void);
uint64_t read_dr6(void);
uint64_t read_dr7(void);
void write_cr0(uint64_t value);
void write_cr2(uint64_t value);
void write_cr3(uint64_t value);
void write_cr4(uint64_t value);
void write_dr0(uint64_t value);
void write_dr1(uint64_t value);
void write_dr2(uint64_t value);
void write_dr3(uint64_t value);
void write_dr6(uint64_t value);
void write_dr7(uint64_t value);
uint16_t read_ds(void);
uint16_t read_es(void);
uint16_t read_fs(void);
uint16_t read_gs(void);

void clts(void);
void swapgs(void);
void invlpg(uint64_t address);
void read_fence(void);
uint64_t rdtsc(void);

void sti(void);
void cli(void);
void take_interrupts(void);
void wait_for_interrupt(void);

void lgdt(uint64_t base, uint16_t limit);
void lidt(uint64_t base, uint16_t limit);
void lldt(uint16_t selector);
void ltr(uint16_t selector);
void load_monitor_segments(uint64_t cs, uint16_t ss);

void fxsave(void *area);
void fxrstor(const void *area);
uint64_t xgetbv(uint32_t index);
void xsave(void *area, uint64_t components);
void xrstor(const void *area, uint64_t components);

void write_l0_port(void);

#endif /* PV_MONITOR_PROCESSOR_H */
