/* deepfgsenc: its properties and statistics. */
#include "enc.h"

#define DEFAULT_MAX_BPP 0.0
#define DEFAULT_STEP 16
#define DEFAULT_MAX_BASE_STEP 32
#define DEFAULT_MIN_FRAMERATE 1.0

enum {
    PROP_0,
    PROP_MODEL,
    PROP_MAX_BPP,
    PROP_BITRATE,
    PROP_STEP,
    PROP_BASE_STEP,
    PROP_MAX_BASE_STEP,
    PROP_MIN_FRAMERATE,
    PROP_THREADS,
    PROP_PRECISION,
    PROP_QOS,
    PROP_MAX_LATENESS,
    PROP_STATS
};

static void gst_deepfgs_enc_set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    GstDeepFGSEnc *self = GST_DEEPFGS_ENC(object);
    gboolean late = FALSE;
    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_MODEL:
        g_free(self->model);
        self->model = g_value_dup_string(value);
        break;
    case PROP_MAX_BPP:
        self->max_bpp = g_value_get_double(value);
        break;
    case PROP_BITRATE:
        self->bitrate = g_value_get_uint(value);
        break;
    case PROP_STEP:
        self->step = g_value_get_uint(value);
        break;
    case PROP_BASE_STEP:
        self->base_step = g_value_get_uint(value);
        break;
    case PROP_MAX_BASE_STEP:
        self->max_base_step = g_value_get_uint(value);
        break;
    case PROP_MIN_FRAMERATE:
        self->min_framerate = g_value_get_double(value);
        break;
    case PROP_QOS:
        self->qos = g_value_get_boolean(value);
        self->qos_is_set = TRUE;
        break;
    case PROP_MAX_LATENESS:
        self->live.max_lateness = g_value_get_int64(value);
        break;
    default:
        if (!deepfgs_set_compute_property(&self->compute, value, spec))
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
        late = self->encoder != NULL;
    }
    GST_OBJECT_UNLOCK(self);
    if (late)
        GST_ELEMENT_WARNING(self, RESOURCE, SETTINGS, ("%s counts when the element starts anew, in READY.", spec->name),
                            (NULL));
    if (id == PROP_QOS)
        gst_video_encoder_set_qos_enabled(GST_VIDEO_ENCODER(self), g_value_get_boolean(value));
}

static GstStructure *gst_deepfgs_enc_stats(GstDeepFGSEnc *self)
{
    DeepFGSStatistic fields[DEEPFGS_MOST_STATISTICS];
    self->counts.latency = self->live.announced;
    self->counts.base_step = self->used_step;
    gsize count = deepfgs_encoder_statistics(&self->counts, fields, G_N_ELEMENTS(fields));
    return deepfgs_structure_of("application/x-deepfgs-enc-stats", fields, MIN(count, G_N_ELEMENTS(fields)));
}

static void gst_deepfgs_enc_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    GstDeepFGSEnc *self = GST_DEEPFGS_ENC(object);
    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_MODEL:
        g_value_set_string(value, self->model);
        break;
    case PROP_MAX_BPP:
        g_value_set_double(value, self->max_bpp);
        break;
    case PROP_BITRATE:
        g_value_set_uint(value, self->bitrate);
        break;
    case PROP_STEP:
        g_value_set_uint(value, self->step);
        break;
    case PROP_BASE_STEP:
        g_value_set_uint(value, self->base_step);
        break;
    case PROP_MAX_BASE_STEP:
        g_value_set_uint(value, self->max_base_step);
        break;
    case PROP_MIN_FRAMERATE:
        g_value_set_double(value, self->min_framerate);
        break;
    case PROP_QOS:
        g_value_set_boolean(value, self->qos_is_set ? self->qos : TRUE);
        break;
    case PROP_MAX_LATENESS:
        g_value_set_int64(value, self->live.max_lateness);
        break;
    case PROP_STATS:
        g_value_take_boxed(value, gst_deepfgs_enc_stats(self));
        break;
    default:
        if (!deepfgs_get_compute_property(&self->compute, value, spec))
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
    GST_OBJECT_UNLOCK(self);
}

const gchar *deepfgs_enc_default_model(void)
{
    static gsize known;
    static gchar name[64];
    if (g_once_init_enter(&known)) {
        deepfgs_default_model(name, sizeof name);
        g_once_init_leave(&known, 1);
    }
    return name;
}

void deepfgs_enc_init_properties(GstDeepFGSEnc *self)
{
    self->model = g_strdup(deepfgs_enc_default_model());
    self->max_bpp = DEFAULT_MAX_BPP;
    self->step = self->base_step = DEFAULT_STEP;
    self->max_base_step = DEFAULT_MAX_BASE_STEP;
    self->min_framerate = DEFAULT_MIN_FRAMERATE;
    self->live.max_lateness = DEEPFGS_DEFAULT_MAX_LATENESS;
}

void deepfgs_enc_install_properties(GObjectClass *object_class)
{
    object_class->set_property = gst_deepfgs_enc_set_property;
    object_class->get_property = gst_deepfgs_enc_get_property;
    g_object_class_install_property(
        object_class, PROP_MODEL,
        g_param_spec_string("model", "Model",
                            "The trained model: the path of a .safetensors file, or the name of one in the directories "
                            "of DEEPFGS_MODEL_PATH or deepfgs/models under the data directories",
                            deepfgs_enc_default_model(),
                            G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    g_object_class_install_property(
        object_class, PROP_MAX_BPP,
        g_param_spec_double("max-bpp", "Maximal bits per pixel",
                            "Cut each frame to so many bits for each pixel, but never into its base, without which it "
                            "does not decode; 0 keeps frames whole",
                            0, 64, DEFAULT_MAX_BPP,
                            G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
    const GParamFlags playing = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
    g_object_class_install_property(
        object_class, PROP_BITRATE,
        g_param_spec_uint(
            "bitrate", "Bitrate",
            "Cut each frame to its share of so many bits per second at the caps' frame rate (at 25 frames per "
            "second where they have none), but never into its base; 0 keeps frames whole",
            0, G_MAXUINT, 0, playing));
    g_object_class_install_property(
        object_class, PROP_STEP,
        g_param_spec_uint(
            "step", "Step",
            "Quantiser step of the scalable part in sixteenths: finer than 16, whole frames become larger "
            "and better; coarser, smaller",
            1, 32, DEFAULT_STEP, playing));
    g_object_class_install_property(
        object_class, PROP_BASE_STEP,
        g_param_spec_uint(
            "base-step", "Base step",
            "Quantiser step of the base, which every receiver needs, in sixteenths: coarser than 16, bases "
            "become smaller and plainer",
            1, 32, DEFAULT_STEP, playing));
    g_object_class_install_property(
        object_class, PROP_MAX_BASE_STEP,
        g_param_spec_uint("max-base-step", "Maximal base step",
                          "Coarsest base step, in sixteenths, that a sender behind the encoder may ask for where its "
                          "bitrate has no room for the bases; base-step or less: its requests change no step",
                          1, 32, DEFAULT_MAX_BASE_STEP, playing));
    g_object_class_install_property(
        object_class, PROP_MIN_FRAMERATE,
        g_param_spec_double(
            "min-framerate", "Minimal frame rate",
            "Frames per second that are encoded at least though a sender asks for fewer, where even the "
            "coarsest bases do not fit; as many as the source has or more: none is left out",
            0, 1000, DEFAULT_MIN_FRAMERATE, playing));
    deepfgs_install_compute_properties(object_class, PROP_THREADS, PROP_PRECISION);
    g_object_class_install_property(
        object_class, PROP_QOS,
        g_param_spec_boolean(
            "qos", "QoS",
            "Drop frames rather than let them come later and later; unless it is set, where the source "
            "is live",
            TRUE, playing));
    deepfgs_live_install_property(object_class, PROP_MAX_LATENESS);
    g_object_class_install_property(
        object_class, PROP_STATS,
        g_param_spec_boxed("stats", "Statistics",
                           "Frames encoded and late, bytes, and the latency announced, since the element started",
                           GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}
