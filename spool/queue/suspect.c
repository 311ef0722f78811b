#include "suspect.h"
