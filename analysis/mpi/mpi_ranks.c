/* The interface of lvsa_ranks.h over MPI; the one file of the project that includes <mpi.h>. */
#include <limits.h>
#include <mpi.h>
#include <string.h>

#include "analysis/mpi/lvsa_ranks.h"

enum { kTag = 1 };

static char library_name[MPI_MAX_LIBRARY_VERSION_STRING];
static struct lvsa_ranks ranks;

static int send_bytes(int to, const void* bytes, size_t size) {
  if (size > INT_MAX) return 1; /* MPI counts in int */
  return MPI_Send(bytes, (int)size, MPI_BYTE, to, kTag, MPI_COMM_WORLD) != MPI_SUCCESS;
}

static int probe(int* from, size_t* size) {
  int there = 0;
  int count = 0;
  MPI_Status status;
  *from = -1;
  *size = 0;
  if (MPI_Iprobe(MPI_ANY_SOURCE, kTag, MPI_COMM_WORLD, &there, &status) != MPI_SUCCESS) return 1;
  if (!there) return 0;
  if (MPI_Get_count(&status, MPI_BYTE, &count) != MPI_SUCCESS || count < 0) return 1;
  *from = status.MPI_SOURCE;
  *size = (size_t)count;
  return 0;
}

static int receive(int from, void* bytes, size_t size) {
  if (size > INT_MAX) return 1;
  return MPI_Recv(bytes, (int)size, MPI_BYTE, from, kTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE) !=
         MPI_SUCCESS;
}

static int finish(void) { return MPI_Finalize() != MPI_SUCCESS; }

__attribute__((visibility("default"))) const struct lvsa_ranks* lvsa_ranks_start(void) {
  int given = 0;
  int length = 0;
  if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given) != MPI_SUCCESS) return NULL;
  if (given < MPI_THREAD_FUNNELED) return NULL;
  ranks.version = LVSA_RANKS_VERSION;
  MPI_Comm_rank(MPI_COMM_WORLD, &ranks.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks.size);
  MPI_Get_library_version(library_name, &length);
  library_name[strcspn(library_name, "\n")] = '\0';
  ranks.library = library_name;
  ranks.send = send_bytes;
  ranks.probe = probe;
  ranks.receive = receive;
  ranks.finish = finish;
  return &ranks;
}
