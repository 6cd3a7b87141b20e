/* What lvsa-verify needs of a message-passing library, as plain C: liblvsa_mpi.so has it over MPI,
 * and is loaded only with --mpi, so that the program itself needs no MPI. */
#ifndef LVSA_RANKS_H
#define LVSA_RANKS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LVSA_RANKS_VERSION 1

/* All functions return 0, or a number that is not. They are called from one thread. */
struct lvsa_ranks {
  int version;         /* LVSA_RANKS_VERSION */
  const char* library; /* "Open MPI v4.1.4, ..." */
  int rank;
  int size;
  int (*send)(int to, const void* bytes, size_t size); /* returns when the bytes may be reused */
  /* A message that has come: who sent it and its size; *from is -1 when there is none. */
  int (*probe)(int* from, size_t* size);
  int (*receive)(int from, void* bytes, size_t size);
  int (*finish)(void); /* once, when nothing is sent any more */
};

/* Starts the library; null when that fails. */
typedef const struct lvsa_ranks* (*lvsa_ranks_start_fn)(void);
#define LVSA_RANKS_START "lvsa_ranks_start"

#ifdef __cplusplus
}
#endif

#endif
