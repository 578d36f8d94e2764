"""Every word that people read on the page, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from starlette.requests import HTTPConnection

Language = Literal["en", "zh"]

TEXTS: dict[str, tuple[str, str]] = {
    # pages
    "page.search": ("Search", "搜索"),
    "page.library": ("Library", "视频库"),
    "page.system": ("System", "系统"),
    # asking
    "ask": ("What are you looking for?", "想找什么?"),
    "ask.hint": ("When does the dog jump?", "狗什么时候跳起来?"),
    "filters": ("Filters", "筛选"),
    "filters.on": ("Filters ({n})", "筛选（{n}）"),
    "filter.collections": ("Collections", "合集"),
    "filter.all": ("All", "全部"),
    "filter.only": ("Why it matched", "匹配依据"),
    "filter.from": ("Recorded from", "录制起始日期"),
    "filter.to": ("Recorded until", "录制截止日期"),
    "filter.min": ("Shortest video, minutes", "最短视频（分钟）"),
    "filter.max": ("Longest video, minutes", "最长视频（分钟）"),
    "filter.name": ("Title or file name contains", "标题或文件名包含"),
    "filter.top": ("How many", "结果数量"),
    "filter.ground": ("Check with LEGO", "用 LEGO 复核"),
    "filter.ground_help": ("Slower: a language model looks at the best moments again", "较慢：由语言模型再次检查最佳片段"),
    "filter.clear": ("Clear filters", "清除筛选"),
    "picture": ("By picture", "以图搜索"),
    "picture.drop": ("A picture of what you look for", "上传一张要找的图片"),
    "picture.bad": ("This picture cannot be read.", "无法读取该图片。"),
    "picture.done": ("looking …", "正在搜索……"),
    "examples": ("Try", "试试"),
    "recent": ("Recent", "最近搜索"),
    "saved": ("Saved", "已保存"),
    "save": ("Save search", "保存搜索"),
    "save.done": ("Saved", "已保存"),
    "forget": ("Forget", "删除"),
    "newest": ("Newest videos", "最新视频"),
    # answers
    "answers": ("Answers", "结果"),
    "answers.took": ("{n} moments in {ms} ms", "{n} 个片段，用时 {ms} 毫秒"),
    "answers.like": ("Moments like this one", "相似片段"),
    "answers.picture": ("Moments like your picture", "与图片相似的片段"),
    "answers.none": ("Nothing found.", "没有找到。"),
    "no_match": ("No match", "没有匹配"),
    "no_match.text": (
        "Nothing in these videos seems to show that. These are the nearest moments.",
        "这些视频里似乎没有相关内容。下面是最接近的片段。",
    ),
    "evidence.picture": ("picture", "画面"),
    "evidence.speech": ("speech", "语音"),
    "evidence.screen": ("screen", "屏幕文字"),
    "evidence.event": ("event", "事件"),
    "evidence.title": ("title", "标题"),
    "score": ("score {score}", "得分 {score}"),
    "offline": ("offline", "离线"),
    "choose": ("Choose", "选择"),
    "like": ("More like this", "更多类似"),
    "export": ("Export", "导出"),
    "export.chosen": ("{n} chosen moments", "已选 {n} 个片段"),
    "export.all": ("All {n} moments (choose some to export only those)", "全部 {n} 个片段（可先勾选，仅导出所选）"),
    "export.csv": ("Table (CSV)", "表格 (CSV)"),
    "export.edl": ("Edit list (EDL)", "剪辑表 (EDL)"),
    "export.playlist": ("Playlist (M3U)", "播放列表 (M3U)"),
    "back": ("All answers", "全部结果"),
    "back.home": ("Back", "返回"),
    # watching
    "player.player": ("Player", "播放器"),
    "player.play": ("Play", "播放"),
    "player.pause": ("Pause", "暂停"),
    "player.back": ("One frame back", "后退一帧"),
    "player.forward": ("One frame forward", "前进一帧"),
    "player.span": ("Moment", "片段"),
    "player.span_hint": ("Play this moment again", "重播该片段"),
    "player.loop": ("Loop", "循环"),
    "player.next": ("Next", "下一个"),
    "player.mute": ("Mute", "静音"),
    "player.link": ("Copy link", "复制链接"),
    "player.copied": ("Link copied", "链接已复制"),
    "player.clip": ("Clip", "下载片段"),
    "player.clip_hint": ("Save this moment as a clip", "将该片段保存为视频"),
    "player.full": ("Full screen", "全屏"),
    "player.speed": ("Speed", "速度"),
    "player.timeline": ("Timeline: where the video fits the question", "时间轴：视频与问题的匹配程度"),
    "player.transcript": ("Transcript", "字幕"),
    "player.error": ("This video cannot be played here.", "无法在此播放该视频。"),
    "player.press_play": ("Ready: press play.", "已就绪：请点击播放。"),
    "player.where": ("Where?", "在哪里?"),
    "player.where_hint": ("Pause, then say what to find in the picture", "暂停后，输入要在画面中寻找的内容"),
    "lego.looking": ("LEGO looks at the best moments …", "LEGO 正在复核最佳片段……"),
    "player.looking": ("Looking …", "正在查找……"),
    "player.found": ("{phrase}: {n} found", "{phrase}：找到 {n} 处"),
    "player.keys": ("Keys", "快捷键"),
    "player.keys_text": (
        "space or k: play or pause · ← →: 5 s (with Shift 1 s) · j l: 10 s · , .: one frame · < >: speed · "
        "n: next moment · o: loop · m: mute · f: full screen",
        "空格或 k：播放/暂停 · ← →：5 秒（按住 Shift 为 1 秒） · j l：10 秒 · , .：一帧 · < >：速度 · "
        "n：下一个片段 · o：循环 · m：静音 · f：全屏",
    ),
    "player.legend_curve": ("how well it fits", "匹配程度"),
    "player.legend_moments": ("moments", "片段"),
    "player.legend_events": ("events", "事件"),
    "player.proxy": (
        "Browsers cannot play this file. A copy that they can play is being made: {percent} %",
        "浏览器无法播放该文件，正在转换：{percent}%",
    ),
    "player.gone": ("The file is offline: it cannot be played now, but it stays searchable.", "文件已离线：暂时无法播放，但仍可搜索。"),
    "media.none": ("There is no such video.", "没有该视频。"),
    "media.wait": ("A copy that browsers can play is still being made.", "可播放的副本仍在生成中。"),
    "media.gone": ("The file is not there now.", "文件现在不可用。"),
    "media.picture": ("There is no picture of this video yet.", "该视频还没有图片。"),
    "media.clip": ("A clip is longer than nothing and no longer than {n} s.", "片段时长须大于 0 且不超过 {n} 秒。"),
    "player.unknown": ("There is no such video.", "没有该视频。"),
    "lego": ("LEGO: {span}", "LEGO：{span}"),
    "lego.none": ("LEGO names no time", "LEGO 未给出时间"),
    # library
    "empty": ("Your library is empty", "视频库为空"),
    "empty.text": (
        "Add a folder or some files, and ask when something happens in them. "
        "To look around first, add the demo library: five small videos.",
        "添加文件夹或文件，即可询问其中何时发生了什么。也可以先添加演示库：五个小视频。",
    ),
    "empty.viewer": ("Nobody has added a video for you yet.", "还没有可供你查看的视频。"),
    "demo.add": ("Add the demo library", "添加演示库"),
    "add": ("Add videos", "添加视频"),
    "add.collection": ("Collection", "合集"),
    "add.folder": ("Folder on this server", "服务器上的文件夹"),
    "add.folder_button": ("Add folder", "添加文件夹"),
    "add.watch": ("Look again every {n} minutes", "每 {n} 分钟重新扫描"),
    "add.upload": ("Upload", "上传"),
    "add.drop": ("Drop videos here, or choose files (up to {size} each)", "将视频拖到此处，或选择文件（每个不超过 {size}）"),
    "upload.too_large": ("The file is too large: up to {size} each.", "文件太大：每个不超过 {size}。"),
    "upload.failed": ("The upload failed.", "上传失败。"),
    "upload.done": ("received", "已接收"),
    "upload.viewer": ("Viewers cannot add videos.", "查看者不能添加视频。"),
    "upload.collection": ("There is no such collection for you.", "没有你可用的该合集。"),
    "upload.name": ("This is not a name of a video file.", "这不是视频文件名。"),
    "upload.broken": ("The upload was broken off.", "上传中断。"),
    "upload.disk": ("The server cannot store this file: {reason}", "服务器无法保存该文件：{reason}"),
    "upload.space": ("There is no space for this file on the server.", "服务器空间不足，无法保存该文件。"),
    "upload.no_video": ("This is not a video that can be read: {reason}", "这不是可读取的视频：{reason}"),
    "folder.missing": ("There is no such folder on the server.", "服务器上没有该文件夹。"),
    "folder.closed": ("This folder may not be added from here.", "不允许从这里添加该文件夹。"),
    "folder.added": ("The folder is being read.", "正在读取该文件夹。"),
    "collection.missing": ("Choose a collection, or write the name of a new one.", "请选择合集，或填写新合集名称。"),
    "watched": ("Watched folders", "监视的文件夹"),
    "watched.never": ("not looked at yet", "尚未扫描"),
    "watched.stop": ("Stop watching", "停止监视"),
    "job.ingest": ("Reading {subject}", "读取 {subject}"),
    "job.demo": ("Making the demo library", "生成演示库"),
    "job.retry": ("Trying {subject} again", "重试 {subject}"),
    "job.proxy": ("Converting video {subject}", "转换视频 {subject}"),
    "job.watch": ("Looking into {subject}", "扫描 {subject}"),
    "job.waiting": ("waiting", "等待中"),
    "job.running": ("running", "进行中"),
    "job.done": ("done", "完成"),
    "job.failed": ("with problems", "有问题"),
    "videos": ("Videos", "视频"),
    "videos.count": ("{n} videos, {length}", "{n} 个视频，共 {length}"),
    "videos.newest": ("the newest {n} of them are below", "下面是其中最新的 {n} 个"),
    "video.title": ("Title", "标题"),
    "video.state": ("State", "状态"),
    "video.length": ("Length", "时长"),
    "video.size": ("Size", "大小"),
    "video.recorded": ("Recorded", "录制日期"),
    "video.problem": ("Problem", "问题"),
    "video.path": ("File", "文件"),
    "state.pending": ("waiting", "等待"),
    "state.ingesting": ("being read", "读取中"),
    "state.ready": ("ready", "就绪"),
    "state.failed": ("failed", "失败"),
    "watch": ("Watch", "观看"),
    "retry": ("Try again", "重试"),
    "remove": ("Remove", "移除"),
    "remove.collection": ("Remove collection", "移除合集"),
    "remove.title": ("Remove from the library?", "从库中移除?"),
    "remove.text": (
        "{what} will not be searchable any more. The files themselves stay where they are.",
        "{what} 将不再可搜索。原文件保留不变。",
    ),
    "remove.many": ("{n} videos", "{n} 个视频"),
    "remove.all_of": ("The collection {name} with {n} videos", "合集 {name}（{n} 个视频）"),
    "remove.yes": ("Yes, remove", "确认移除"),
    "cancel": ("Cancel", "取消"),
    "pick": ("Choose videos in the list to watch, retry or remove them.", "在列表中选择视频以观看、重试或移除。"),
    "open.as": ("Signed in as {name}", "已登录：{name}"),
    # system
    "index": ("Index", "索引"),
    "index.segments": ("Segments", "片段数"),
    "index.length": ("Video", "视频时长"),
    "index.disk": ("Disk", "磁盘"),
    "index.per_hour": ("Per hour of video", "每小时视频"),
    "models": ("Models", "模型"),
    "model.installed": ("Installed", "已安装"),
    "model.quality": ("Quality", "质量"),
    "model.get": ("How to get it", "获取方式"),
    "doctor": ("Check-up", "体检"),
    "doctor.run": ("Check again", "重新检查"),
    "doctor.ok": ("ok", "正常"),
    "doctor.bad": ("not ok", "异常"),
    # signing in
    "sign_in": ("Sign in", "登录"),
    "sign_in.name": ("Name", "用户名"),
    "sign_in.password": ("Password", "密码"),
    "sign_in.wrong": ("The name or the password is wrong.", "用户名或密码错误。"),
    "sign_in.wait": ("Too many attempts. Wait some minutes.", "尝试次数过多，请稍后再试。"),
    "sign_in.oidc": ("Sign in with your organisation", "使用组织账号登录"),
    "sign_in.unknown": ("{name} may not enter here. Ask whoever runs this page.", "{name} 无权访问，请联系管理员。"),
    "sign_out": ("Sign out", "退出登录"),
    # trouble
    "error": ("Something went wrong", "出错了"),
    "error.unexpected": ("This is a defect: {error}", "程序缺陷：{error}"),
}

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("When is there a close-up of a cat?", "什么时候出现猫的特写?"),
    ("When do people ride bicycles in the street?", "什么时候有人在街上骑自行车?"),
    ("At what time does the rocket stand on the launch pad?", "火箭什么时候立在发射台上?"),
    ("Show me the cup of coffee on a table", "桌上的咖啡杯"),
)


@dataclass(frozen=True, slots=True)
class Texts:
    """`texts("answers.took", n=3, ms=20)`."""

    language: Language

    def __call__(self, key: str, /, **values: object) -> str:
        text = TEXTS[key][self._index]
        return text.format(**values) if values else text

    @classmethod
    def of(cls, accepted: str) -> Texts:
        """In the language that an Accept-Language header, or a locale, asks for."""
        return cls(language_of(accepted))

    @property
    def examples(self) -> list[str]:
        return [example[self._index] for example in EXAMPLES]

    @property
    def _index(self) -> int:
        return 1 if self.language == "zh" else 0


def texts_of(request: HTTPConnection) -> Texts:
    return Texts.of(request.headers.get("accept-language", ""))


def language_of(accepted: str) -> Language:
    """The first language of an Accept-Language header (or a locale) that there is; English otherwise."""
    for entry in accepted.split(","):
        code = entry.partition(";")[0].strip().lower().replace("_", "-")
        if code.startswith("zh"):
            return "zh"
        if code.startswith("en"):
            return "en"
    return "en"
